// Text that may be long: it scrolls by itself, and keys reach it.
export function LongText({ label, className, children }: { label: string; className: string; children: React.ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long text scrolls, so keys must reach it
    <pre className={className} tabIndex={0} role="region" aria-label={label}>
      {children}
    </pre>
  );
}
