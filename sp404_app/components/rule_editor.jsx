// The editor of a smart collection's rules: terms that all or any must match, with groups nested once.
//
// `fields` describes what can be asked: [{field, label, ops: [{op, label, control, unit, options}]}].
// The rules are in a hidden input of the form around the editor. `onDraft` gets complete rules after a
// pause in editing, with a number that comes back as `answered` together with the number of matches.

import { useEffect, useId, useMemo, useRef, useState } from "react";

const PAUSE_MS = 250;
const MAX_TERMS = 50;
const isGroup = (term) => Boolean(term.terms);
const countTerms = (terms) => terms.reduce((sum, term) => sum + (isGroup(term) ? countTerms(term.terms) : 1), 0);
const toNumber = (text) => Number(String(text).trim().replace(",", ".") || NaN);
const isNumber = (text) => Number.isFinite(toNumber(text));
const splitTags = (text) => text.split(",").map((tag) => tag.trim()).filter(Boolean);

// How each control keeps a value while it is edited: `empty`, and how it is read from a rule and
// written to one. `isComplete` is false for a value that is still missing.
const isText = (value) => String(value).trim() !== "";
const same = (value) => value;
const CONTROLS = {
  text: { empty: () => "", isComplete: isText },
  date: { empty: () => "", isComplete: isText },
  number: { empty: () => "", read: String, write: toNumber, isComplete: isNumber },
  days: { empty: () => "30", read: String, write: toNumber, isComplete: isNumber },
  range: { empty: () => ["", ""], read: (value) => value.map(String), write: (value) => value.map(toNumber), isComplete: (value) => value.every(isNumber) },
  tags: { empty: () => "", read: (value) => value.join(", "), write: splitTags, isComplete: (value) => splitTags(value).length > 0 },
  choice: { empty: (options) => options[0]?.value ?? "", isComplete: isText },
  choices: { empty: () => [], isComplete: (value) => value.length > 0 },
  yesno: { empty: () => "yes", read: (value) => (value ? "yes" : "no"), write: (value) => value === "yes", isComplete: isText },
  like: { empty: () => ({ sample_ids: [], max_distance: 0.3 }), isComplete: (value) => value.sample_ids.length > 0 },
};
const YES_NO = [{ value: "yes", label: "yes" }, { value: "no", label: "no" }];

const fieldOf = (fields, term) => fields.find((each) => each.field === term.field) || fields[0];
const opOf = (fields, term) => {
  const field = fieldOf(fields, term);
  return field.ops.find((each) => each.op === term.op) || field.ops[0];
};
const newTerm = (field, op = field.ops[0]) => ({ field: field.field, op: op.op, value: CONTROLS[op.control].empty(op.options || []) });

function isComplete(fields, term) {
  if (isGroup(term)) return term.terms.length > 0 && term.terms.every((each) => isComplete(fields, each));
  return CONTROLS[opOf(fields, term).control].isComplete(term.value);
}

// Converts the values of all terms: `how` is "read" or "write".
function convert(fields, { match, terms }, how) {
  const one = (term) => {
    if (isGroup(term)) return convert(fields, term, how);
    return { ...term, value: (CONTROLS[opOf(fields, term).control][how] || same)(term.value) };
  };
  return { match, terms: terms.map(one) };
}

function Choice({ value, options, label, onChange, testId }) {
  return (
    <select className="input" value={value} aria-label={label} onChange={(event) => onChange(event.target.value)} data-testid={testId}>
      {options.map((each) => (
        <option key={each.value} value={each.value}>
          {each.label}
        </option>
      ))}
    </select>
  );
}

function Likeness({ value, onChange }) {
  const count = value.sample_ids.length;
  return (
    <span className="rule-like">
      <span className="muted">{count === 1 ? "1 sound" : `${count} sounds`}</span>
      <input type="range" min="0.05" max="0.8" step="0.05" value={value.max_distance} aria-label="Largest difference" aria-valuetext={`${Math.round(value.max_distance * 100)} percent`} onChange={(event) => onChange({ ...value, max_distance: Number(event.target.value) })} data-testid="rule-distance" />
      <span className="mono muted">≤ {Math.round(value.max_distance * 100)} % different</span>
    </span>
  );
}

function Choices({ value, options, onChange }) {
  const toggle = (each) => onChange(value.includes(each) ? value.filter((other) => other !== each) : [...value, each]);
  return (
    <span className="rule-choices" role="group" aria-label="Values">
      {options.map((each) => (
        <button key={each.value} type="button" className={`chip ${value.includes(each.value) ? "on" : ""}`} aria-pressed={value.includes(each.value)} onClick={() => toggle(each.value)} data-testid="rule-chip">
          {each.label}
        </button>
      ))}
    </span>
  );
}

function Text({ value, label = "Value", testId = "rule-value", onChange, ...rest }) {
  return <input className="input" value={value} aria-label={label} autoComplete="off" spellCheck={false} maxLength={200} onChange={(event) => onChange(event.target.value)} data-testid={testId} {...rest} />;
}

const NUMERIC = { inputMode: "decimal", maxLength: 12 };

function ValueControl({ op, value, tagList, onChange }) {
  const props = { value, onChange };
  const { control } = op;
  if (control === "choice" || control === "yesno") return <Choice {...props} options={op.options || YES_NO} label="Value" testId="rule-value" />;
  if (control === "choices") return <Choices {...props} options={op.options} />;
  if (control === "like") return <Likeness {...props} />;
  const extra = { number: NUMERIC, days: NUMERIC, tags: { list: tagList, placeholder: "drums, dusty" }, date: { type: "date" } }[control];
  return (
    <span className="rule-range">
      {control === "range" ? (
        <>
          <Text value={value[0]} label="From" onChange={(low) => onChange([low, value[1]])} {...NUMERIC} /> – <Text value={value[1]} label="To" testId="rule-value-to" onChange={(high) => onChange([value[0], high])} {...NUMERIC} />
        </>
      ) : (
        <Text {...props} {...extra} />
      )}
      {op.unit && <span className="muted">{op.unit}</span>}
    </span>
  );
}

function Term({ fields, term, tagList, onChange, onRemove }) {
  const field = fieldOf(fields, term);
  const op = opOf(fields, term);
  const setOp = (next) => onChange(next.control === op.control ? { ...term, op: next.op } : newTerm(field, next));
  const setField = (name) => onChange(newTerm(fieldOf(fields, { field: name })));
  const options = fields.filter((each) => each.ops[0].control !== "like" || each.field === term.field).map((each) => ({ value: each.field, label: each.label }));
  return (
    <li className="rule" data-testid="rule">
      <Choice value={term.field} options={options} label="Field" onChange={setField} testId="rule-field" />
      {field.ops.length > 1 ? <Choice value={term.op} options={field.ops.map((each) => ({ value: each.op, label: each.label }))} label="Comparison" onChange={(name) => setOp(field.ops.find((each) => each.op === name))} testId="rule-op" /> : <span className="rule-op muted">{op.label}</span>}
      <ValueControl op={op} value={term.value} tagList={tagList} onChange={(value) => onChange({ ...term, value })} />
      <button type="button" className="icon-button small" aria-label={`Remove rule: ${field.label}`} title="Remove rule" onClick={onRemove} data-testid="remove-rule">
        ×
      </button>
    </li>
  );
}

function Group({ fields, group, nested, tagList, isFull, onChange, onRemove }) {
  const replace = (index, ...terms) => onChange({ ...group, terms: group.terms.flatMap((each, at) => (at === index ? terms : [each])) });
  const add = (term) => onChange({ ...group, terms: [...group.terms, term] });
  const match = (
    <label className="rule-match">
      Match
      <Choice value={group.match} options={[{ value: "all", label: "all" }, { value: "any", label: "any" }]} label={nested ? "Match of the group" : "Match"} onChange={(value) => onChange({ ...group, match: value })} testId={nested ? "group-match" : "rules-match"} />
      of these rules
    </label>
  );
  const Box = nested ? "li" : "div";
  return (
    <Box className={nested ? "rule-group nested" : "rule-group"} data-testid={nested ? "rule-group" : undefined}>
      <div className="rule-head">
        {match}
        {nested && (
          <button type="button" className="icon-button small" aria-label="Remove group" title="Remove group" onClick={onRemove} data-testid="remove-group">
            ×
          </button>
        )}
      </div>
      <ul className="rules">
        {group.terms.map((term, index) => {
          const change = (next) => replace(index, next);
          const remove = () => replace(index);
          if (isGroup(term)) return <Group key={index} nested fields={fields} group={term} tagList={tagList} isFull={isFull} onChange={change} onRemove={remove} />;
          return <Term key={index} fields={fields} term={term} tagList={tagList} onChange={change} onRemove={remove} />;
        })}
      </ul>
      <div className="rule-add">
        <button type="button" className="button small" disabled={isFull} onClick={() => add(newTerm(fields[0]))} data-testid={nested ? "add-group-rule" : "add-rule"}>
          Add rule
        </button>
        {!nested && (
          <button type="button" className="button small ghost" disabled={isFull} onClick={() => add({ match: group.match === "all" ? "any" : "all", terms: [newTerm(fields[0])] })} data-testid="add-group">
            Add group
          </button>
        )}
      </div>
    </Box>
  );
}

// Gives the choice of a collection its options; without collections the field is left out.
function withCollections(fields, collections) {
  const options = collections.map((each) => ({ value: each.id, label: each.name }));
  return fields.filter((each) => each.field !== "collection" || options.length).map((each) => (each.field === "collection" ? { ...each, ops: each.ops.map((op) => ({ ...op, options })) } : each));
}

export function RuleEditor({ fields: known, rules, tags = [], collections = [], matches = "", problem = "", answered = 0, onDraft }) {
  const fields = useMemo(() => withCollections(known, collections), [known, collections]);
  const [group, setGroup] = useState(() => (rules?.terms?.length ? convert(fields, rules, "read") : { match: "all", terms: [newTerm(fields[0])] }));
  const tagList = useId();
  const sent = useRef({ number: 0, text: "" });
  const complete = group.terms.length > 0 && group.terms.every((term) => isComplete(fields, term));
  const text = complete ? JSON.stringify(convert(fields, group, "write")) : "";

  useEffect(() => {
    if (!text || text === sent.current.text) return undefined;
    const timer = setTimeout(() => {
      sent.current = { number: sent.current.number + 1, text };
      onDraft(text, sent.current.number);
    }, sent.current.number ? PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [text, onDraft]);

  const isCurrent = text === sent.current.text && answered === sent.current.number;
  const said = !group.terms.length ? "Add a rule." : !complete ? "Fill in every rule." : isCurrent ? problem || matches : "Counting …";
  return (
    <div className="rule-editor" data-testid="rule-editor">
      <Group fields={fields} group={group} tagList={tagList} isFull={countTerms(group.terms) >= MAX_TERMS} onChange={setGroup} />
      <datalist id={tagList}>
        {tags.map((tag) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
      <input type="hidden" name="rules" value={text} />
      <p role="status" className={isCurrent && problem ? "field-error" : "rule-count"} data-testid="rule-count">
        {said}
      </p>
    </div>
  );
}
