// Draws what stands in data-plot: {kind: "lines"|"histogram", x, series: [{name, values, role}], unit, limit}.
(() => {
  "use strict";
  const strokes = { reference: "--reference", live: "--live", limit: "--warn-line" };
  const plain = (name) => { // a colour that a canvas understands, whatever CSS made it
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const seen = getComputedStyle(probe).color;
    probe.remove();
    return seen;
  };

  // Times as everywhere else on the page: UTC, 24 hours, and the day where days pass.
  const moment = (at, from, to) => new Date(at * 1000).toISOString().slice(from, to).replace("T", " ");
  const moments = (_, at, __, ___, step) => at.map((v) => step >= 86400 ? moment(v, 5, 10) : step >= 60 ? moment(v, 11, 16) : moment(v, 11, 19));

  const draw = (box) => {
    const told = JSON.parse(box.dataset.plot);
    box.textContent = "";
    const series = told.series.map((one, i) => {
      const stroke = plain(strokes[one.role] || `--line-${(i % 6) + 1}`);
      const bars = told.kind === "histogram" && one.role !== "limit";
      return {
        label: one.name, stroke, width: one.role === "limit" ? 1 : 2,
        dash: one.role === "limit" ? [4, 4] : undefined,
        fill: bars ? stroke.replace("rgb(", "rgba(").replace(")", ", .25)") : undefined,
        paths: bars ? uPlot.paths.bars({ size: [0.9, 100], align: 0 }) : undefined,
        points: { show: !bars && told.x.length < 60 },
      };
    });
    const ink = plain("--soft");
    const grid = { stroke: plain("--line"), width: 1 };
    const options = {
      width: Math.max(240, box.clientWidth), height: told.height || 240,
      scales: { x: { time: told.x_is === "time" } },
      axes: [
        { stroke: ink, grid, label: told.x_label, values: told.ticks ? (_, at) => at.map((v) => told.ticks[v] ?? "") : told.x_is === "time" ? moments : undefined },
        { stroke: ink, grid, label: told.unit, size: 64 },
      ],
      series: [{ label: told.x_label || "at", value: told.x_is === "time" ? (_, v) => v == null ? "--" : moment(v, 0, 19) : undefined }, ...series],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    };
    box.plot = new uPlot(options, [told.x, ...told.series.map((one) => one.values)], box);
  };

  const all = (root) => root.querySelectorAll("[data-plot]");
  const drawAll = () => all(document).forEach(draw);
  drawAll();
  document.addEventListener("htmx:afterSwap", drawAll);
  document.addEventListener("fleetloop:theme", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("resize", () => all(document).forEach((box) => box.plot?.setSize({ width: Math.max(240, box.clientWidth), height: box.plot.height })));
})();
