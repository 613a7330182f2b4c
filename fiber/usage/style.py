"""How the page about usage looks: few colours, that of the text and three for the series, for light and for dark."""

STYLE = """
:root { --ground: #fbfbfa; --card: #fff; --text: #1d1f24; --soft: #676d78; --line: #e4e5e8;
  --s0: #3657d6; --s1: #8aa4f5; --s2: #e0762f; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14161a; --card: #1c1f25; --text: #e8eaee; --soft: #9aa1ad; --line: #2d323b;
    --s0: #7d9bff; --s1: #45598f; --s2: #f09a5c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 32px 24px 64px; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0; font-size: 28px; letter-spacing: -0.02em; }
h2 { margin: 40px 0 12px; font-size: 17px; }
header p, small { margin: 2px 0 0; color: var(--soft); }
small { display: block; font-size: 12px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 24px 0; }
.tiles div, figure, .wide { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tiles div { padding: 14px 16px; }
.tiles h2 { margin: 0; font-size: 13px; font-weight: 500; color: var(--soft); }
.tiles data, .tiles span { font-size: 24px; font-weight: 600; letter-spacing: -0.02em; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 12px; }
figure { position: relative; margin: 0; padding: 14px 16px 8px; }
figcaption { font-weight: 600; margin-bottom: 8px; }
figure ul { position: absolute; top: 15px; right: 16px; margin: 0; padding: 0; list-style: none; display: flex;
  gap: 14px; font-size: 12px; color: var(--soft); }
figure li::before { content: ""; display: inline-block; width: 9px; height: 9px; margin-right: 5px;
  border-radius: 2px; }
.k0::before { background: var(--s0); } .k1::before { background: var(--s1); } .k2::before { background: var(--s2); }
svg { display: block; width: 100%; height: auto; }
svg line { stroke: var(--line); }
svg text { fill: var(--soft); font-size: 12px; }
svg .y { text-anchor: end; } svg .x { text-anchor: middle; }
.s0 { fill: var(--s0); } .s1 { fill: var(--s1); } .s2 { fill: var(--s2); }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
.l0 { stroke: var(--s0); } .l1 { stroke: var(--s1); } .l2 { stroke: var(--s2); }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 8px 14px; text-align: right; white-space: nowrap; font-weight: 400; }
th:first-child { text-align: left; }
thead th { color: var(--soft); font-size: 12px; }
tbody tr { border-top: 1px solid var(--line); }
tbody th { min-width: 180px; }
tbody i { display: block; height: 3px; margin-top: 3px; border-radius: 2px; background: var(--s0); }
@media print { body { max-width: none; padding: 0; } figure, .tiles div { break-inside: avoid; } }
"""
