// <visitor-outbox>: what was written and is not stored yet. It survives a reload and is sent again under the same id.
customElements.define("visitor-outbox", class extends HTMLElement {
  #chat = null
  #items = []
  #isBusy = true // until we know who the visitor is

  connectedCallback() {
    this.#chat = this.closest("visitor-chat")
    this.#chat.addEventListener("visitor:ready", () => { this.#items.unshift(...this.#kept()); this.#isBusy = false; this.#keep(); this.#flush() })
    this.#chat.addEventListener("visitor:online", () => this.#flush())
    this.#chat.addEventListener("visitor:send", (event) => this.#add(event.detail))
    this.#chat.addEventListener("visitor:stored", (event) => this.#drop(event.detail))
    this.addEventListener("visitor:again", (event) => { this.#change(this.#item(event.detail), "sending"); this.#flush() })
    this.addEventListener("visitor:take-back", (event) => this.#chat.dispatchEvent(new CustomEvent("visitor:edit", { detail: this.#drop(event.detail) })))
  }

  get #name() { return `rapport.outbox.${this.#chat.dataset.token.split(":")[0]}` }
  #item = (cid) => this.#items.find((item) => item.cid === cid)

  #kept() {
    const isHere = ({ cid }) => this.#item(cid) || document.querySelector(`visitor-log [data-cid="${CSS.escape(cid)}"]`)
    try { return (JSON.parse(localStorage.getItem(this.#name)) ?? []).filter((item) => !isHere(item)) } catch { return [] }
  }

  #keep() {
    const unsent = this.#items.filter((item) => item.state !== "sent"), template = this.querySelector("template")
    try { localStorage.setItem(this.#name, JSON.stringify(unsent)) } catch { /* blocked or full: it lives as long as the page */ }
    const draw = (item) => document.importNode(template.content, true).firstElementChild.show(item)
    this.replaceChildren(template, ...this.#items.map(draw))
    this.#chat.dispatchEvent(new Event("visitor:sends"))
  }

  #add(written) {
    const cid = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
    this.#change(this.#items[this.#items.push({ cid, ...written }) - 1], "sending")
    this.#flush()
  }

  #change(item, state, reason = "") { Object.assign(item, { state, reason }); this.#keep() }
  #drop(cid) { const item = this.#item(cid); if (item) { this.#items = this.#items.filter((one) => one !== item); this.#keep() } return item }

  async #flush() { // one after the other: they are stored in the order in which they were written
    if (this.#isBusy) return
    this.#isBusy = true
    let item
    while ((item = this.#items.find((one) => ["sending", "waiting"].includes(one.state))) && (await this.#send(item)));
    this.#isBusy = false
    clearTimeout(this.timer)
    if (item) this.timer = setTimeout(() => this.#flush(), 4000 + 3000 * Math.random())
  }

  async #send(item) {
    const { cid, text, name } = item, files = item.files.map((file) => file.token)
    const answer = await this.#chat.post({ cid, text, name, files, ...this.#chat.origin() }).catch(() => null)
    if (answer?.ok) { this.#change(item, "sent"); setTimeout(() => this.#items.includes(item) && this.#chat.pull(), 2500); return true }
    if (!answer || answer.status === 429 || answer.status >= 500) { this.#change(item, "waiting"); return false }
    this.#change(item, "refused", await answer.text())
    return true
  }
})
