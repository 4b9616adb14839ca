// The page works without this: links lead from one paragraph for review to the next. Here they pass over what is
// hidden, start from where the reader is, and n and p do the same while such a paragraph or the bar has the focus.
"use strict";
(() => {
  const bar = document.querySelector(".bar");
  const status = document.getElementById("status");
  if (!status) return;
  const flagged = [...document.querySelectorAll(".review")];
  bar.querySelector(".first").textContent = "next";
  bar.querySelector("[hidden]").hidden = false;
  let last = null;

  function go(step) {
    const rows = flagged.filter((row) => row.offsetParent);
    const top = bar.offsetHeight + 40;
    const at = rows.indexOf(last);
    const below = rows.findIndex((row) => row.getBoundingClientRect().top > top);
    const ahead = below < 0 ? rows.length : below;
    const wanted = at >= 0 ? at + step : step > 0 ? ahead : ahead - 1;
    if (!rows.length) return say("No paragraph for review is shown.");
    last = rows[(wanted + rows.length) % rows.length];
    last.scrollIntoView({ block: "start" });
    last.focus({ preventScroll: true });
    say(`${rows.indexOf(last) + 1} of ${rows.length} for review`);
  }

  function say(text) {
    status.textContent = text;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-step]");
    if (!link) return;
    event.preventDefault();
    last = link.closest(".review") || last;
    go(Number(link.dataset.step));
  });

  document.addEventListener("keydown", (event) => {
    const step = { n: 1, p: -1 }[event.key];
    const inside = event.target.closest && event.target.closest(".review, .bar");
    if (!step || !inside || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(step);
  });

  document.addEventListener("focusin", (event) => {
    last = event.target.closest(".review") || last;
  });

  // Whoever scrolls on by hand wants the next one from there.
  for (const kind of ["wheel", "touchmove"]) {
    document.addEventListener(kind, () => { last = null; }, { passive: true });
  }
})();
