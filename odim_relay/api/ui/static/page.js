// Keeps the part of a page fresh that changes by itself. Without it there is a link that reloads the page.
"use strict";

(() => {
  const LONGEST_WAIT_S = 10;
  const ANSWERS_WITHIN_MS = 20_000;
  const FURTHEST = 120;

  const live = document.getElementById("live");
  const every = Number(live?.dataset.every || 0);
  const freshness = document.getElementById("freshness");
  const announcer = document.getElementById("announcer");

  // Morphing: what is there is changed in place, so that focus, scroll and what is open stay.

  const keeps = (element, name) =>
    (name === "open" && (element.nodeName === "DETAILS" || element.nodeName === "DIALOG")) ||
    (name === "value" && element.nodeName === "INPUT");

  const matchAttributes = (old, fresh) => {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !keeps(old, name)) old.removeAttribute(name);
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (old.getAttribute(name) !== value && !keeps(old, name)) old.setAttribute(name, value);
    }
  };

  const keyOf = (node) => node.id || node.dataset?.key || "";

  const isSame = (old, fresh) =>
    old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && keyOf(old) === keyOf(fresh);

  // The element that is to become `fresh`: the next one, or one a little further on whose key or kind tells that it is it.
  const counterpart = (next, fresh) => {
    if (!next || isSame(next, fresh)) return next;
    if (fresh.nodeType !== Node.ELEMENT_NODE) return null;
    let candidate = next.nextSibling;
    for (let steps = 0; candidate && steps < FURTHEST; steps += 1, candidate = candidate.nextSibling) {
      if (isSame(candidate, fresh) && candidate.className === fresh.className) return candidate;
    }
    return null;
  };

  const morph = (old, fresh) => {
    let next = old.firstChild;
    for (const node of [...fresh.childNodes]) {
      const there = counterpart(next, node);
      if (!there) {
        old.insertBefore(node, next);
        continue;
      }
      while (next !== there) {
        const gone = next;
        next = next.nextSibling;
        gone.remove();
      }
      next = there.nextSibling;
      if (there.nodeType === Node.ELEMENT_NODE) {
        matchAttributes(there, node);
        morph(there, node);
      } else if (there.nodeValue !== node.nodeValue) {
        there.nodeValue = node.nodeValue;
      }
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
  };

  const announcement = () => live.querySelector("[data-announce]")?.dataset.announce || "";

  const isBeingCopied = () => {
    const selection = document.getSelection();
    return Boolean(selection && !selection.isCollapsed && live.contains(selection.anchorNode));
  };

  // What stands at the bottom.

  const told = document.createElement("span");
  const pause = document.createElement("button");
  let isPaused = false;
  let freshAt = new Date();

  const clock = (time) => time.toISOString().slice(11, 19);

  const tell = (state, text) => {
    if (freshness.dataset.state !== state) {
      announcer.textContent = state === "lost" ? text : freshness.dataset.state === "lost" ? "Up to date again" : "";
    }
    freshness.dataset.state = state;
    live.classList.toggle("stale", state === "lost");
    if (told.textContent !== text) told.textContent = text;
  };

  // Asking.

  const answer = async () => {
    const reply = await fetch(location.href, {
      headers: { "X-Live": "1" },
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
    });
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    return reply.json();
  };

  const show = (found) => {
    const before = announcement();
    if (!isBeingCopied()) {
      const fresh = document.createElement("template");
      fresh.innerHTML = found.html;
      morph(live, fresh.content);
    }
    const after = announcement();
    if (after !== before) announcer.textContent = after;
    freshAt = new Date();
    tell("fresh", "These figures keep themselves up to date.");
  };

  const isError = live?.dataset.page === "error.html" || Boolean(live?.querySelector("h1"));
  let waitS = every;

  const look = async () => {
    try {
      const found = await answer();
      if (found.location) {
        location.assign(found.location);
        return false;
      }
      const isWell = found.status === 200;
      if (isError && isWell) {
        location.reload();
        return false;
      }
      if (isWell || isError) {
        show(found);
      } else {
        tell("lost", `${found.said}. These figures are of ${clock(freshAt)} UTC; this page looks again by itself.`);
      }
      waitS = every;
    } catch {
      tell("lost", `The server does not answer. These figures are of ${clock(freshAt)} UTC; this page looks again by itself.`);
      waitS = Math.min(waitS * 1.5, LONGEST_WAIT_S);
    }
    return true;
  };

  let wake = () => {};
  const rest = (seconds) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const isResting = () => isPaused || document.hidden;

  const goOn = async () => {
    let goesOn = true;
    while (goesOn) {
      await rest(isResting() ? 3600 : waitS);
      if (!isResting()) goesOn = await look();
    }
  };

  if (live && every > 0) {
    pause.type = "button";
    pause.className = "quiet";
    pause.textContent = "Pause";
    pause.setAttribute("aria-pressed", "false");
    pause.addEventListener("click", () => {
      isPaused = !isPaused;
      pause.setAttribute("aria-pressed", String(isPaused));
      tell(isPaused ? "paused" : "fresh", isPaused ? `Paused at ${clock(freshAt)} UTC.` : "These figures keep themselves up to date.");
      wake();
    });
    freshness.replaceChildren(pause, told);
    tell("fresh", "These figures keep themselves up to date.");
    document.addEventListener("visibilitychange", () => {
      waitS = Math.min(waitS, 0.1);
      wake();
    });
    goOn();
  }

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.isSent) {
      event.preventDefault();
    } else {
      event.target.dataset.isSent = "1";
    }
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.isSent;
  });
})();
