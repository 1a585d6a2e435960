//! The one style sheet.
//!
//! **Invariant:** black on white, no background that ink would be wasted on; nothing is said by colour
//! alone.

/// The style sheet of all pages.
pub const STYLE: &str = "
:root { color-scheme: light; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: #fff; color: #111;
  font: 15px/1.45 system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
h1 { font-size: 1.25rem; margin: .8rem 0 .3rem; font-weight: 600; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 .5rem; padding-bottom: .2rem; border-bottom: 2px solid #111; }
h3 { font-size: 1rem; margin: 1.1rem 0 .3rem; }
p { margin: .35rem 0; overflow-wrap: anywhere; }
code { font: .86em ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.banner { border: 3px dashed #111; padding: .5rem .8rem; margin: 0 0 .8rem; font-weight: 700; }
.verdict { border: 4px solid #111; border-left-width: 18px; padding: .7rem 1rem; }
.verdict .word { font-size: clamp(1.7rem, 6.5vw, 2.8rem); font-weight: 800; line-height: 1.1; margin: 0;
  overflow-wrap: anywhere; }
.verdict .why { font-size: 1.1rem; margin: .3rem 0 0; }
.good { border-color: #005a8f; } .good .word, .good .state { color: #005a8f; }
.bad { border-color: #b34700; } .bad .word, .bad .state { color: #b34700; }
.open { border-color: #555; } .verdict.open, .parts li.open { border-style: dashed; } .open .word, .open .state { color: #444; }
.parts { display: flex; flex-wrap: wrap; gap: .6rem; margin: .8rem 0 0; padding: 0; list-style: none; }
.parts li { flex: 1 1 15rem; border-width: 2px 2px 2px 8px; border-style: solid; padding: .4rem .7rem; }
.parts .name { font-weight: 600; } .parts .state { font-size: 1.2rem; font-weight: 800; display: block; }
.parts .why { color: #333; font-size: .92rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .15rem .9rem; margin: .5rem 0; }
dt { color: #444; } dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
table { width: 100%; border-collapse: collapse; margin: .4rem 0; font-size: .93rem; }
th, td { text-align: left; vertical-align: top; padding: .28rem .5rem .28rem 0; border-bottom: 1px solid #bbb;
  overflow-wrap: anywhere; }
th { border-bottom: 2px solid #555; font-weight: 600; overflow-wrap: normal; }
@media (min-width: 40.01rem) { td.key { min-width: 8rem; } }
td.figure, th.figure { white-space: nowrap; font-variant-numeric: tabular-nums; }
td .note { display: block; color: #333; font-size: .92em; }
.strong { font-weight: 700; }
.mark { font-weight: 700; white-space: nowrap; }
ul.plain { list-style: none; padding: 0; margin: .4rem 0; }
ul.plain li { padding: .25rem 0; border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
.severity { display: inline-block; min-width: 5.2rem; font-weight: 700; }
.chart { display: block; margin: .5rem 0; overflow: visible; }
.chart text { font-size: 13px; fill: #111; paint-order: stroke; stroke: #fff; stroke-width: 3px;
  stroke-linejoin: round; }
.chart text.tick { font-size: 12px; fill: #333; }
.chart text.strong { font-weight: 700; }
pre { border: 1px solid #555; padding: .5rem .7rem; margin: .5rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } .wide svg { max-width: 100%; height: auto; }
.small { font-size: .88rem; color: #333; }
footer { margin-top: 2rem; padding-top: .5rem; border-top: 1px solid #555; font-size: .88rem; color: #333; }
@media (max-width: 40rem) {
  body { padding: .7rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .45rem; }
  table.stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stack tr { display: block; border-bottom: 2px solid #777; padding: .35rem 0; }
  table.stack td { display: block; border: 0; padding: .05rem 0; white-space: normal; }
  table.stack td[data-label]::before { content: attr(data-label) ': '; color: #555; font-weight: 400; }
  table.stack td:empty { display: none; }
}
@page { size: A4; margin: 14mm 13mm 16mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  .verdict, .banner, .parts li, .chart, ul.plain li, dl, pre, .step { break-inside: avoid; }
  tr { break-inside: avoid; } thead { display: table-header-group; }
  .new-page { break-before: page; }
  a { color: inherit; text-decoration: none; }
}
";
