"use strict";
(() => {
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const press = (button, group) => group.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));

  const tiles = all(".sheet > li");
  const wanted = { kind: "", split: "", level: "" };
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    tiles.forEach((li) => {
      const fits = Object.keys(wanted).every((key) => !wanted[key] || li.dataset[key] === wanted[key])
        && words.every((word) => li.dataset.text.includes(word));
      li.hidden = !fits;
      count += fits;
    });
    shown.textContent = count + " shown";
  };
  all("[data-filter]").forEach((button) => button.addEventListener("click", () => {
    wanted[button.dataset.filter] = button.dataset.value;
    press(button, all('[data-filter="' + button.dataset.filter + '"]'));
    apply();
  }));
  search.addEventListener("input", apply);

  const overlay = document.getElementById("overlay");
  overlay.addEventListener("click", () => {
    const on = overlay.getAttribute("aria-pressed") !== "true";
    overlay.setAttribute("aria-pressed", String(on));
    tiles.forEach((li) => {
      const image = li.querySelector("img");
      if (!image.dataset.overlay) return;
      if (!image.dataset.with) {
        image.dataset.with = image.src;
        image.dataset.without = li.querySelector("template").content.querySelector(".plain").src;
      }
      image.src = on ? image.dataset.with : image.dataset.without;
    });
  });

  const dialog = document.getElementById("zoom");
  const zoomed = document.getElementById("zoomed");
  let current = null;
  const show = (li) => {
    if (!li) return;
    current = li;
    zoomed.replaceChildren(li.querySelector("template").content.cloneNode(true));
    if (!dialog.open) dialog.showModal();
  };
  const step = (by) => {
    const visible = tiles.filter((li) => !li.hidden);
    show(visible[visible.indexOf(current) + by]);
  };
  tiles.forEach((li) => li.querySelector(".tile").addEventListener("click", () => show(li)));
  document.getElementById("before").addEventListener("click", () => step(-1));
  document.getElementById("next").addEventListener("click", () => step(1));
  document.getElementById("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("close", () => { if (current) current.querySelector(".tile").focus(); });
})();
