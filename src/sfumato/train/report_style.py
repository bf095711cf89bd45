"""How run/report.html looks, by day and by night."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f6f4; --card: #fff; --text: #23262b; --quiet: #6b7280; --line: #e3e3df;
  --mean: #2563c9; --raw: #2563c955; --best: #c2410c;
  --good: #15803d; --bad: #b91c1c; --bad-page: #fdf0f0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #16181c; --card: #1f2227; --text: #e4e6ea; --quiet: #9aa1ad; --line: #33373f;
    --mean: #7aaefc; --raw: #7aaefc55; --best: #fb923c;
    --good: #4ade80; --bad: #f87171; --bad-page: #33201f;
  }
}
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 0; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.05rem; margin: 0 0 .75rem; }
.place { margin: .2rem 0 .8rem; color: var(--quiet); }
.place, td, .sign, .status { overflow-wrap: anywhere; }
.status { margin: 0 0 .6rem; font-weight: 600; }
.ended { color: var(--good); }
.failed { color: var(--bad); }
progress { width: 100%; height: .5rem; accent-color: var(--mean); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
figure { margin: 0; }
figcaption { color: var(--quiet); font-size: .85rem; }
figcaption b { color: var(--text); font-weight: 600; float: right; }
.grids { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 1rem; }
.grids :first-child { grid-column: 1 / -1; }
img { display: block; max-width: 100%; height: auto; border-radius: .25rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 1rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--quiet); font-size: 10px; }
svg path { stroke: var(--line); fill: none; }
polyline { fill: none; stroke: var(--mean); stroke-width: 1.6; stroke-linejoin: round; }
.raw { stroke: var(--raw); stroke-width: 1; }
circle { fill: var(--mean); }
.best { fill: var(--best); }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; border-top: 1px solid var(--line); }
tr:first-child > * { border-top: 0; }
th { font-weight: 400; color: var(--quiet); width: 19rem; }
.sign { border-left: 4px solid var(--bad); background: var(--bad-page); padding: .5rem .8rem; margin: .5rem 0 0; }
.gone { border-color: var(--line); background: none; color: var(--quiet); }
footer { color: var(--quiet); font-size: .8rem; padding-bottom: 2rem; }
@media (max-width: 600px) { th, td { display: block; padding: 0; border: 0; } td { margin-bottom: .4rem; } }
"""
