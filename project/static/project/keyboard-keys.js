// <keyboard-keys>: a key presses what carries it in `data-key`; j and k walk through a list. Silent while somebody types.
const TYPED = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]"

customElements.define("keyboard-keys", class extends HTMLElement {
  connectedCallback() {
    document.addEventListener("keydown", this.#press)
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#press)
  }

  #press = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (event.target.closest?.(TYPED)) return event.key === "Escape" ? event.target.blur() : undefined
    if (event.key === "j" || event.key === "k") this.#walk(event, event.key === "j" ? 1 : -1)
    else this.#use(event)
  }

  #walk(event, step) {
    const rows = [...document.querySelectorAll("[role=option]")]
    const here = document.activeElement?.closest("[role=option]") ?? document.querySelector("[role=option][aria-selected=true]")
    const at = rows.indexOf(here)
    const next = rows[at < 0 ? 0 : at + step]
    if (!next) return
    event.preventDefault()
    next.focus({ preventScroll: true })
    next.scrollIntoView({ block: "nearest" })
  }

  #use(event) {
    const bearers = document.querySelectorAll(`[data-key="${CSS.escape(event.key)}"]`)
    const bearer = [...bearers].find((one) => !one.disabled && one.getClientRects().length)
    if (!bearer) return
    event.preventDefault()
    if (bearer.matches(TYPED)) return bearer.focus()
    bearer.click()
    if (bearer.dataset.leads) document.querySelector(bearer.dataset.leads)?.focus()
  }
})
