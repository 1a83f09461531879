/** Styles of the panel; OHIF's own classes are not all in its prebuilt style sheet. */
export const styles = `
.cipherdose { color: #f2f5fa; font-size: 13px; line-height: 1.45; padding: 10px; overflow-y: auto; height: 100%; box-sizing: border-box; background: #060b18; }
.cipherdose section { border-bottom: 1px solid #2a3a5c; padding: 8px 0; }
.cipherdose h2 { font-size: 13px; font-weight: 600; margin: 0 0 4px; color: #9fd3ff; }
.cipherdose p { margin: 4px 0; }
.cipherdose label { display: block; margin: 6px 0 2px; }
.cipherdose select, .cipherdose input[type=text], .cipherdose input[type=url], .cipherdose input[type=password] { width: 100%; box-sizing: border-box; background: #10192e; color: #f2f5fa; border: 1px solid #5d78ad; border-radius: 4px; padding: 4px 6px; }
.cipherdose input[type=range], .cipherdose progress { width: 100%; }
.cipherdose button { background: #1d3f7a; color: #fff; border: 1px solid #5d8ade; border-radius: 4px; padding: 4px 10px; margin: 4px 6px 0 0; cursor: pointer; }
.cipherdose button.cipherdose-main { background: #1659c7; font-weight: 600; }
.cipherdose button:disabled { background: #26314a; color: #b9c4d8; border-color: #46536f; cursor: not-allowed; }
.cipherdose :focus-visible { outline: 2px solid #ffd166; outline-offset: 1px; }
.cipherdose .cipherdose-note { color: #c3cee2; }
.cipherdose .cipherdose-notice { background: #43210f; border: 1px solid #e08a4b; border-radius: 4px; padding: 6px 8px; margin: 8px 0; }
.cipherdose dl { display: grid; grid-template-columns: auto 1fr; gap: 1px 10px; margin: 4px 0; }
.cipherdose dt { color: #c3cee2; }
.cipherdose dd { margin: 0; overflow-wrap: anywhere; }
.cipherdose summary { cursor: pointer; }
.cipherdose ul { list-style: none; margin: 0; padding: 0; }
.cipherdose .cipherdose-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`;
