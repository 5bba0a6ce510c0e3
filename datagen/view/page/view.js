"use strict";
/* Tiles exist for what is on the screen alone: 180,000 pictures are one tall empty box and some fifty buttons in it. */
(() => {
  const at = (id) => document.getElementById(id);
  const scroller = at("scroller"), spacer = at("spacer"), CHUNK = 120, NAMES = 34;
  const state = { words: {}, text: "", severity: [null, null], score: [null, null], order: "path" };
  let facets = null, total = 0, asked = 0, known = new Map(), waiting = new Map(), tiles = new Map();
  const get = async (path) => {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  };
  const make = (name, attributes = {}, ...inside) => {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...inside);
    return made;
  };
  const side = () => Number(at("size").value);
  const layout = () => {
    const across = Math.max(1, Math.floor(scroller.clientWidth / (side() + 8)));
    return { across, high: side() + 8 + NAMES };
  };
  const ask = (chunk) => {
    if (waiting.has(chunk)) return;
    const mine = asked, filter = encodeURIComponent(JSON.stringify(state));
    waiting.set(chunk, get(`api/rows?start=${chunk * CHUNK}&count=${CHUNK}&filter=${filter}`).then(async (answer) => {
      const found = await answer.json();
      if (mine !== asked) return;
      total = found.total;
      found.rows.forEach((row, k) => known.set(chunk * CHUNK + k, row));
      at("count").textContent = `${total.toLocaleString("en")} of ${facets.total.toLocaleString("en")} pictures`;
      draw();
    }).catch((error) => { at("count").textContent = error.message; }));
  };
  const tile = (place, row) => {
    const marked = at("marked").checked ? 1 : 0, pixels = Math.min(512, side() * Math.ceil(devicePixelRatio));
    const judged = row.score === null ? "" : ` · ${row.score.toFixed(3)} ${row.verdict}`;
    const made = make("button", { className: row.label ? "tile odd" : "tile", title: row.path },
      make("img", { loading: "eager", alt: row.kind, src: `small/${row.number}?size=${pixels}&marked=${marked}` }),
      make("span", { textContent: `${row.kind} · ${row.split}${judged}` }),
      make("span", { textContent: row.path.split("/").slice(1).join("/") }));
    made.addEventListener("click", () => open(row));
    made.dataset.place = place;
    return made;
  };
  const draw = () => {
    const { across, high } = layout();
    spacer.style.height = `${Math.ceil(total / across) * high}px`;
    const first = Math.max(0, Math.floor(scroller.scrollTop / high) - 1) * across;
    const last = Math.min(total, (Math.ceil((scroller.scrollTop + scroller.clientHeight) / high) + 1) * across);
    for (const [place, made] of tiles) if (place < first || place >= last) { made.remove(); tiles.delete(place); }
    for (let place = first; place < last; place++) {
      const row = known.get(place);
      if (!row) { ask(Math.floor(place / CHUNK)); continue; }
      let made = tiles.get(place);
      if (!made) { made = tile(place, row); tiles.set(place, made); spacer.append(made); }
      made.style.cssText = `left:${(place % across) * (side() + 8)}px;top:${Math.floor(place / across) * high}px;width:${side() + 8}px`;
      made.firstChild.style.height = `${side()}px`;
    }
    if (known.size > 40 * CHUNK) for (const place of known.keys()) {
      if (place < first - 10 * CHUNK || place >= last + 10 * CHUNK) { known.delete(place); waiting.delete(Math.floor(place / CHUNK)); }
    }
  };
  const clear = () => { tiles.forEach((made) => made.remove()); tiles = new Map(); };
  const restart = () => {
    asked++; total = 0; known = new Map(); waiting = new Map(); clear();
    scroller.scrollTop = 0;
    ask(0);
  };
  const open = async (row) => {
    const told = await (await get(`detail/${row.number}`)).json();
    at("detail").hidden = false;
    const figure = (src, words) => make("figure", {}, make("img", { src, alt: words }), make("figcaption", { textContent: words }));
    const query = figure(`small/${row.number}?size=640&marked=1`, `${row.kind}, ${row.split}`);
    at("pair").replaceChildren(query, figure(`whole/${row.number}`, "as it is"));
    const views = Array.from({ length: told.references }, (_, k) => {
      const chosen = make("button", { ariaLabel: `reference ${k}` }, make("img", { src: `reference/${row.number}/${k}?size=64`, alt: "" }));
      chosen.addEventListener("click", () => {
        at("pair").replaceChildren(query, figure(`reference/${row.number}/${k}?size=640`, `reference ${k}`));
        views.forEach((other) => other.setAttribute("aria-pressed", other === chosen));
      });
      return chosen;
    });
    at("views").replaceChildren(...views);
    if (views.length) views[0].click();
    at("meshes").replaceChildren();
    at("turn").hidden = !told.meshes;
    at("turn").onclick = async () => {
      try { await get(`meshes/${row.number}`); } catch (error) { at("meshes").textContent = error.message; return; }
      at("meshes").replaceChildren(make("iframe", { src: `meshes/${row.number}`, title: "meshes" }));
    };
    at("told").textContent = JSON.stringify({ ...row, ...told.row, instances: told.instances }, null, 1);
    draw();
  };
  const between = (name, range) => {
    const ends = [0, 1].map((end) => {
      const input = make("input", { type: "number", step: "any", placeholder: range[end].toPrecision(3), ariaLabel: `${name} ${end ? "to" : "from"}` });
      input.addEventListener("change", () => { state[name][end] = input.value === "" ? null : Number(input.value); restart(); });
      return input;
    });
    return make("fieldset", {}, make("legend", { textContent: name }), ends[0], " to ", ends[1]);
  };
  const start = async () => {
    facets = await (await get("api/facets")).json();
    document.title = at("title").textContent = facets.title;
    const boxes = Object.entries(facets.words).map(([name, counts]) => make("fieldset", {}, make("legend", { textContent: name }),
      ...Object.entries(counts).map(([word, count]) => {
        const input = make("input", { type: "checkbox", value: word, name });
        input.addEventListener("change", () => {
          state.words[name] = [...document.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.value);
          restart();
        });
        return make("label", {}, input, word || "(none)", make("span", { textContent: count.toLocaleString("en") }));
      })));
    at("filters").replaceChildren(...boxes, between("severity", facets.severity));
    if (facets.score) at("filters").append(between("score", facets.score));
    const orders = facets.score ? ["path", "severity", "score"] : ["path", "severity"];
    at("order").replaceChildren(...orders.map((word) => make("option", { textContent: word })));
    restart();
  };
  let soon = null;
  at("text").addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(() => { state.text = at("text").value; restart(); }, 250);
  });
  at("order").addEventListener("change", () => { state.order = at("order").value; restart(); });
  at("marked").addEventListener("change", () => { clear(); draw(); });
  at("size").addEventListener("input", () => { clear(); draw(); });
  at("close").addEventListener("click", () => { at("detail").hidden = true; draw(); });
  scroller.addEventListener("scroll", () => requestAnimationFrame(draw));
  addEventListener("resize", () => requestAnimationFrame(draw));
  start().catch((error) => { at("count").textContent = error.message; });
})();
