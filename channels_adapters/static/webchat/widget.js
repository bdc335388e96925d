/* Rapport's chat on your own page: <script src=".../widget.js" data-inbox="KEY" async></script>
   Also: data-label and data-close-label (the button's words), data-side="left", data-color (any CSS colour).
   It sets nothing on your page but one element, and reads nothing but its own attributes and this page's address. */
(() => {
  "use strict"
  const script = document.currentScript ?? document.querySelector("script[src$='/widget.js'][data-inbox], script[src$='/widget.js'][data-channel]")
  const key = script?.dataset.inbox || script?.dataset.channel
  if (!key || !/^[\w-]+$/.test(key) || document.querySelector("rapport-chat")) return

  const origin = new URL(script.src).origin
  const words = { open: script.dataset.label || "Open chat", close: script.dataset.closeLabel || "Close chat" }
  const FIRST = `rapport.first.${key}`, KNOWN = `rapport.known.${key}`, VISITOR = `rapport.visitor.${key}`
  const ICON_CHAT = "M4 5.5h16v11H11L6.500 20v-3.500H4z", ICON_CLOSE = "M6 6l12 12M18 6L6 18"
  const CSS = `
    :host { all: initial; position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: 2147483000; color-scheme: light dark; }
    :host([data-side=left]) { inset-inline: 20px auto; }
    .launcher { all: unset; box-sizing: border-box; position: relative; display: grid; place-items: center; width: 56px; height: 56px; margin-inline-start: auto;
      border-radius: 50%; cursor: pointer; color: #fff; background: var(--chat-color, oklch(24% .02 270)); box-shadow: 0 6px 24px rgb(0 0 0 / .24), 0 0 0 1px rgb(255 255 255 / .14); }
    :host([data-side=left]) .launcher { margin-inline: 0 auto; }
    .launcher:hover { filter: brightness(1.15); }
    .launcher:focus-visible { outline: 3px solid oklch(62% .17 265); outline-offset: 3px; }
    svg { width: 26px; height: 26px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    .dot { position: absolute; inset-block-start: -2px; inset-inline-end: -2px; box-sizing: border-box; min-width: 20px; height: 20px; padding: 0 5px; border-radius: 10px;
      font: 650 12px/20px system-ui, sans-serif; text-align: center; color: #fff; background: oklch(55% .2 27); }
    .panel { box-sizing: border-box; width: 384px; height: min(640px, 100dvh - 116px); margin-block-end: 14px; overflow: hidden; border-radius: 20px;
      background: Canvas; box-shadow: 0 24px 80px rgb(0 0 0 / .24), 0 0 0 1px rgb(0 0 0 / .08); transform-origin: bottom right; animation: rise .16s ease-out; }
    [hidden] { display: none !important; }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    @keyframes rise { from { opacity: 0; transform: translateY(10px) scale(.98); } }
    @media (prefers-reduced-motion: reduce) { .panel { animation: none; } }
    @media (max-width: 480px) { .panel { position: fixed; inset: 0; width: auto; height: auto; margin: 0; border-radius: 0; } .panel:not([hidden]) + .launcher { display: none; } }
    @media print { :host { display: none; } }`

  class Chat extends HTMLElement {
    #frame = null
    #isOpen = false
    #isReady = false

    connectedCallback() {
      const root = this.attachShadow({ mode: "open" })
      const sheet = new CSSStyleSheet() // a sheet made here, unlike <style>, is allowed by a page with a strict policy
      sheet.replaceSync(CSS)
      root.adoptedStyleSheets = [sheet]
      if (script.dataset.side === "left") this.dataset.side = "left"
      if (script.dataset.color) this.style.setProperty("--chat-color", script.dataset.color)
      this.panel = root.appendChild(Object.assign(document.createElement("div"), { className: "panel", hidden: true }))
      this.launcher = root.appendChild(Object.assign(document.createElement("button"), { className: "launcher", type: "button" }))
      this.launcher.setAttribute("aria-haspopup", "dialog")
      this.panel.setAttribute("role", "dialog")
      this.panel.setAttribute("aria-label", script.dataset.title || "Chat")
      this.icon = this.launcher.appendChild(icon())
      this.dot = this.launcher.appendChild(Object.assign(document.createElement("span"), { className: "dot", hidden: true }))
      this.launcher.addEventListener("click", () => this.#show(!this.#isOpen))
      window.addEventListener("message", this.#hear)
      document.addEventListener("keydown", this.#press)
      this.#draw(0)
      if (recall("localStorage", KNOWN)) setTimeout(() => this.#load(), 1500) // so that an answer shows as a dot
    }

    disconnectedCallback() {
      window.removeEventListener("message", this.#hear)
      document.removeEventListener("keydown", this.#press)
    }

    #show(isOpen) {
      this.#isOpen = isOpen
      this.#load()
      this.panel.hidden = !isOpen
      this.#draw(0)
      if (isOpen) keep("localStorage", KNOWN, "1")
      this.#say()
      isOpen ? this.#frame.focus() : this.launcher.focus()
    }

    #load() {
      if (this.#frame) return
      this.#frame = Object.assign(document.createElement("iframe"), { title: script.dataset.title || "Chat" })
      this.#frame.src = `${origin}/chat/${key}/?${first()}`
      this.panel.append(this.#frame)
    }

    #say = () => this.#isReady && this.#tell({ rapport: this.#isOpen ? "opened" : "closed" })
    #tell = (what) => this.#frame.contentWindow.postMessage(what, origin)

    #hear = (event) => {
      if (event.origin !== origin || !this.#frame || event.source !== this.#frame.contentWindow) return
      const said = event.data && event.data.rapport
      if (said === "ready") { this.#isReady = true; this.#say() }
      if (said === "recall") this.#tell({ rapport: "kept", token: recall("localStorage", VISITOR) })
      if (said === "keep" && typeof event.data.token === "string") keep("localStorage", VISITOR, event.data.token)
      if (said === "close" && this.#isOpen) this.#show(false)
      if (said === "unread" && Number.isInteger(event.data.count)) this.#draw(event.data.count)
    }

    #press = (event) => { if (event.key === "Escape" && this.#isOpen) this.#show(false) }

    #draw(unread) {
      this.icon.firstChild.setAttribute("d", this.#isOpen ? ICON_CLOSE : ICON_CHAT)
      this.dot.hidden = this.#isOpen || unread < 1
      this.dot.textContent = unread > 9 ? "9+" : String(unread)
      this.launcher.setAttribute("aria-expanded", String(this.#isOpen))
      this.launcher.setAttribute("aria-label", (this.#isOpen ? words.close : words.open) + (this.dot.hidden ? "" : ` (${unread})`))
    }
  }

  function icon() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
    svg.setAttribute("viewBox", "0 0 24 24")
    svg.setAttribute("aria-hidden", "true")
    svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"))
    return svg
  }

  function first() { // how they came, from the first page of this visit on
    const now = new URLSearchParams({ embed: "1", page: location.href.slice(0, 1000), referrer: document.referrer.slice(0, 1000) }).toString()
    const kept = recall("sessionStorage", FIRST)
    if (!kept) keep("sessionStorage", FIRST, now)
    return kept && kept.startsWith("embed=1&") ? kept : now
  }

  function recall(store, name) { try { return window[store].getItem(name) } catch { return null } }
  function keep(store, name, value) { try { window[store].setItem(name, value) } catch { /* storage is blocked */ } }

  customElements.define("rapport-chat", Chat)
  const add = () => document.body.append(document.createElement("rapport-chat"))
  document.body ? add() : document.addEventListener("DOMContentLoaded", add)
})()
