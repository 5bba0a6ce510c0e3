"use strict";
(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const buttons = all("[data-checks]");
  buttons.forEach((button) => button.addEventListener("click", () => {
    buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
    const wanted = button.dataset.checks;
    document.getElementById("quiet").open = wanted !== "fail";
    all(".checks > li").forEach((li) => { li.hidden = Boolean(wanted) && li.dataset.status !== wanted; });
  }));
})();
