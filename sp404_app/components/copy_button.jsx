// Button that copies a text to the clipboard, which a browser may refuse.

export function CopyButton({ text, label, testId, onCopied, onRefused }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text); // missing on pages without https
    } catch {
      onRefused();
      return;
    }
    onCopied();
  };
  return (
    <button type="button" className="button small" onClick={copy} data-testid={testId}>
      {label}
    </button>
  );
}
