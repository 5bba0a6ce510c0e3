"use strict";
/* A z-buffer rasteriser on a plain canvas: no library, no GPU, the same picture everywhere. */
(() => {
  const SIZE = 420, UNIT = 1.1 / 30000;
  const turn = { azimuth: -0.9, elevation: 0.42, zoom: 1 };
  const decode = (id) => {
    const text = atob(document.getElementById(id).textContent.trim());
    const bytes = new Uint8Array(text.length);
    for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
    const count = text.length / 19;
    return { points: new Int16Array(bytes.buffer, 0, count * 9), changed: bytes.subarray(count * 18), count };
  };
  const views = Array.from(document.querySelectorAll("canvas[data-mesh]")).map((canvas) => {
    canvas.width = canvas.height = SIZE;
    return {
      canvas, context: canvas.getContext("2d", { willReadFrequently: true }), mesh: decode("mesh-" + canvas.dataset.mesh),
      image: new ImageData(SIZE, SIZE), depth: new Float32Array(SIZE * SIZE),
    };
  });
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const draw = (view) => {
    const { mesh, image, depth } = view, data = image.data;
    data.fill(0);
    depth.fill(1e9);
    const ca = Math.cos(turn.azimuth), sa = Math.sin(turn.azimuth);
    const ce = Math.cos(turn.elevation), se = Math.sin(turn.elevation);
    const base = dark.matches ? [176, 178, 184] : [150, 150, 150];
    const part = dark.matches ? [239, 132, 104] : [196, 71, 47];
    const focal = 1.25 * SIZE * turn.zoom, away = 3;
    const X = new Float32Array(3), Y = new Float32Array(3), Z = new Float32Array(3), W = new Float32Array(9);
    for (let f = 0; f < mesh.count; f++) {
      for (let c = 0; c < 3; c++) {
        const x = mesh.points[f * 9 + c * 3] * UNIT, y = mesh.points[f * 9 + c * 3 + 1] * UNIT;
        const z = mesh.points[f * 9 + c * 3 + 2] * UNIT;
        const right = -sa * x + ca * y, forward = ca * x + sa * y;
        const up = ce * z - se * forward, toward = se * z + ce * forward;
        W[c * 3] = right; W[c * 3 + 1] = up; W[c * 3 + 2] = toward;
        Z[c] = away - toward;
        X[c] = SIZE / 2 + focal * right / Z[c];
        Y[c] = SIZE / 2 - focal * up / Z[c];
      }
      const ux = W[3] - W[0], uy = W[4] - W[1], uz = W[5] - W[2];
      const vx = W[6] - W[0], vy = W[7] - W[1], vz = W[8] - W[2];
      const nx = uy * vz - uz * vy, ny = uz * vx - ux * vz, nz = ux * vy - uy * vx;
      const length = Math.hypot(nx, ny, nz) || 1;
      const shade = 0.42 + 0.5 * Math.abs(nz) / length + 0.18 * Math.abs(ny) / length;
      const colour = mesh.changed[f] ? part : base;
      const area = (X[1] - X[0]) * (Y[2] - Y[0]) - (X[2] - X[0]) * (Y[1] - Y[0]);
      if (Math.abs(area) < 1e-6) continue;
      const x0 = Math.max(0, Math.ceil(Math.min(X[0], X[1], X[2]) - 0.5));
      const x1 = Math.min(SIZE - 1, Math.floor(Math.max(X[0], X[1], X[2]) - 0.5));
      const y0 = Math.max(0, Math.ceil(Math.min(Y[0], Y[1], Y[2]) - 0.5));
      const y1 = Math.min(SIZE - 1, Math.floor(Math.max(Y[0], Y[1], Y[2]) - 0.5));
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          const px = x + 0.5, py = y + 0.5;
          const a = ((X[1] - px) * (Y[2] - py) - (X[2] - px) * (Y[1] - py)) / area;
          const b = ((X[2] - px) * (Y[0] - py) - (X[0] - px) * (Y[2] - py)) / area;
          const c = 1 - a - b;
          if (a < 0 || b < 0 || c < 0) continue;
          const z = 1 / (a / Z[0] + b / Z[1] + c / Z[2]), at = y * SIZE + x;
          if (z >= depth[at]) continue;
          depth[at] = z;
          data[at * 4] = colour[0] * shade; data[at * 4 + 1] = colour[1] * shade;
          data[at * 4 + 2] = colour[2] * shade; data[at * 4 + 3] = 255;
        }
      }
    }
    view.context.putImageData(image, 0, 0);
  };
  let asked = false;
  const redraw = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; views.forEach(draw); });
  };
  const limit = () => {
    turn.elevation = Math.min(1.5, Math.max(-1.5, turn.elevation));
    turn.zoom = Math.min(4, Math.max(0.5, turn.zoom));
    redraw();
  };
  views.forEach(({ canvas }) => {
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      turn.azimuth -= (event.clientX - last[0]) * 0.01;
      turn.elevation += (event.clientY - last[1]) * 0.01;
      last = [event.clientX, event.clientY];
      limit();
    });
    ["pointerup", "pointercancel"].forEach((name) => canvas.addEventListener(name, () => { last = null; }));
    canvas.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, 0.12], ArrowDown: [0, -0.12] }[event.key];
      if (move) { turn.azimuth += move[0]; turn.elevation += move[1]; }
      else if (event.key === "+" || event.key === "=") turn.zoom *= 1.15;
      else if (event.key === "-") turn.zoom /= 1.15;
      else return;
      event.preventDefault();
      limit();
    });
  });
  dark.addEventListener("change", redraw);
  redraw();
})();
