// The pads of all ten banks of a project in miniature: filled pads have the colour of their bank.

const PAD = 5;
const GAP = 1.5;
const COLUMNS = 4; // pads in a row, on every device
const BANKS_IN_A_ROW = 5;
const BETWEEN_BANKS = 7;
const LABEL_HEIGHT = 9;

const square = (x, y) => `M${x} ${y}h${PAD}v${PAD}h-${PAD}z`;

// Returns the path of pads of one bank; pad 1 is at the top left, as on the device.
function padsPath(pads, left, top) {
  const step = PAD + GAP;
  return pads.map((pad) => square(left + ((pad - 1) % COLUMNS) * step, top + Math.floor((pad - 1) / COLUMNS) * step)).join("");
}

export function BankPicture({ banks, padsPerBank }) {
  const rows = padsPerBank / COLUMNS;
  const width = COLUMNS * (PAD + GAP) - GAP;
  const height = rows * (PAD + GAP) - GAP + LABEL_HEIGHT;
  const all = Array.from({ length: padsPerBank }, (_, index) => index + 1);
  const places = banks.map((bank, index) => ({
    ...bank,
    left: (index % BANKS_IN_A_ROW) * (width + BETWEEN_BANKS),
    top: Math.floor(index / BANKS_IN_A_ROW) * (height + BETWEEN_BANKS) + LABEL_HEIGHT,
  }));
  const box = [BANKS_IN_A_ROW * (width + BETWEEN_BANKS) - BETWEEN_BANKS, 2 * height + BETWEEN_BANKS];
  return (
    <svg className="bank-picture" viewBox={`0 0 ${box[0]} ${box[1]}`} aria-hidden="true">
      <path className="bank-picture-empty" d={places.map((bank) => padsPath(all, bank.left, bank.top)).join("")} />
      {places.map((bank) => (
        <g key={bank.letter} style={{ "--bank": bank.colour }} className={bank.pads.length ? "" : "bank-picture-unused"}>
          <text x={bank.left} y={bank.top - 3}>
            {bank.letter}
          </text>
          <path d={padsPath(bank.pads, bank.left, bank.top)} />
        </g>
      ))}
    </svg>
  );
}
