/**
 * Styles of the panel, in the colours of the viewer's theme (with those of OHIF 3.13 where it has none): OHIF's own
 * classes are not all in its prebuilt style sheet.
 */
export const styles = `
.cipherdose {
  --cd-text: hsl(var(--foreground, 0 0% 98%));
  --cd-quiet: hsl(200 46% 76%);
  --cd-heading: hsl(var(--highlight, 191 74% 63%));
  --cd-accent: hsl(var(--primary, 214 98% 60%));
  --cd-fill: hsl(214 72% 40%);
  --cd-card: hsl(var(--popover, 219 90% 15%) / 0.55);
  --cd-line: hsl(var(--input, 236 52% 30%));
  background: hsl(var(--background, 0 0% 0%)); color: var(--cd-text); font-size: 13px; line-height: 1.45;
  padding: 8px; overflow-y: auto; height: 100%; box-sizing: border-box;
}
.cipherdose h2 { font-size: 15px; font-weight: 600; margin: 2px 4px 0; }
.cipherdose h3 { font-size: 13px; font-weight: 600; margin: 0 0 6px; color: var(--cd-heading); }
.cipherdose p { margin: 0 0 8px; }
.cipherdose .cipherdose-lead { margin: 2px 4px 10px; color: var(--cd-quiet); }
.cipherdose .cipherdose-card { background: var(--cd-card); border: 1px solid var(--cd-line); border-radius: 6px; padding: 10px 12px; margin: 0 0 8px; }
.cipherdose .cipherdose-card > :last-child { margin-bottom: 0; }
.cipherdose label { display: flex; justify-content: space-between; margin: 0 0 3px; color: var(--cd-quiet); }
.cipherdose output { color: var(--cd-text); font-variant-numeric: tabular-nums; }
.cipherdose select, .cipherdose input[type=text], .cipherdose input[type=url], .cipherdose input[type=password] { width: 100%; box-sizing: border-box; background: hsl(var(--background, 0 0% 0%)); color: var(--cd-text); border: 1px solid hsl(214 45% 48%); border-radius: 4px; padding: 5px 8px; margin: 0 0 8px; font: inherit; }
.cipherdose input[type=range] { width: 100%; margin: 2px 0 8px; accent-color: var(--cd-accent); }
.cipherdose progress { appearance: none; display: block; width: 100%; height: 8px; border: 0; border-radius: 4px; overflow: hidden; background: hsl(var(--background, 0 0% 0%)); margin: 0 0 8px; }
.cipherdose progress::-webkit-progress-bar { background: hsl(var(--background, 0 0% 0%)); }
.cipherdose progress::-webkit-progress-value { background: var(--cd-accent); border-radius: 4px; transition: width 0.2s; }
.cipherdose progress::-moz-progress-bar { background: var(--cd-accent); border-radius: 4px; }
.cipherdose .cipherdose-buttons { display: flex; flex-wrap: wrap; gap: 6px; margin: 0 0 8px; }
.cipherdose button { background: transparent; color: hsl(214 98% 74%); border: 1px solid hsl(214 45% 48%); border-radius: 4px; padding: 4px 10px; cursor: pointer; font: inherit; }
.cipherdose button:hover:enabled { background: hsl(214 98% 60% / 0.2); }
.cipherdose button.cipherdose-main { background: var(--cd-fill); color: #fff; border-color: var(--cd-fill); font-weight: 600; }
.cipherdose button.cipherdose-main:hover:enabled { background: hsl(214 72% 46%); }
.cipherdose button:is(:disabled, [aria-disabled=true]) { color: hsl(214 16% 62%); border-color: hsl(214 16% 32%); background: transparent; cursor: not-allowed; }
.cipherdose :focus-visible { outline: 2px solid #ffd166; outline-offset: 1px; }
.cipherdose .cipherdose-note { color: var(--cd-quiet); }
.cipherdose .cipherdose-notice { background: hsl(22 62% 16%); border: 1px solid hsl(26 72% 58%); border-radius: 6px; padding: 8px 12px; margin: 0 0 8px; }
.cipherdose .cipherdose-notice p { margin: 4px 0 0; }
.cipherdose dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 0 0 8px; }
.cipherdose dt { color: var(--cd-quiet); }
.cipherdose dd { margin: 0; overflow-wrap: anywhere; }
.cipherdose dd dl { margin: 0; }
.cipherdose details { margin: 0 0 8px; }
.cipherdose summary { cursor: pointer; color: hsl(214 98% 74%); margin: 0 0 4px; }
.cipherdose ul { list-style: none; margin: 0; padding: 0; }
.cipherdose li + li { border-top: 1px solid var(--cd-line); margin-top: 10px; padding-top: 10px; }
.cipherdose form { border-top: 1px solid var(--cd-line); padding-top: 8px; }
.cipherdose .cipherdose-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`;
