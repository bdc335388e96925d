// <visitor-outbox>: what was written and is not stored yet. It survives a reload and is sent again under the same id.
customElements.define("visitor-outbox", class extends HTMLElement {
  #chat = null
  #items = []
  #isBusy = false

  connectedCallback() {
    this.#chat = this.closest("visitor-chat")
    this.#chat.addEventListener("visitor:ready", () => { this.#items = this.#kept(); this.#draw(); this.#flush() })
    this.#chat.addEventListener("visitor:online", () => this.#flush())
    this.#chat.addEventListener("visitor:send", (event) => this.#add(event.detail))
    this.#chat.addEventListener("visitor:stored", (event) => this.#drop(event.detail))
  }

  get #name() { return `rapport.outbox.${this.#chat.dataset.token.split(":")[0]}` }

  #kept() {
    const isStored = (item) => document.querySelector(`visitor-log [data-cid="${CSS.escape(item.cid)}"]`)
    try { return (JSON.parse(localStorage.getItem(this.#name)) ?? []).filter((item) => !isStored(item)) } catch { return [] }
  }

  #keep() {
    const unsent = this.#items.filter((item) => item.state !== "sent")
    try { localStorage.setItem(this.#name, JSON.stringify(unsent)) } catch { /* blocked or full: it lives as long as the page */ }
    this.#draw()
  }

  #add(written) {
    const cid = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
    this.#items.push({ cid, state: "sending", reason: "", ...written })
    this.#keep()
    this.#chat.dispatchEvent(new Event("visitor:sends"))
    this.#flush()
  }

  #drop(cid) { if (this.#items.some((item) => item.cid === cid)) { this.#items = this.#items.filter((item) => item.cid !== cid); this.#keep() } }
  #change(item, state, reason = "") { Object.assign(item, { state, reason }); this.#keep() }

  async #flush() { // one after the other: the order in which they were written is the order they are stored in
    if (this.#isBusy) return
    this.#isBusy = true
    let item
    while ((item = this.#items.find((one) => one.state === "sending" || one.state === "waiting")) && (await this.#send(item)));
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

  #draw() {
    this.replaceChildren(this.querySelector("template"), ...this.#items.map((item) => this.#bubble(item)))
    this.#chat.dispatchEvent(new Event("visitor:sends"))
  }

  #bubble(item) {
    const bubble = this.querySelector("template").content.firstElementChild.cloneNode(true)
    bubble.dataset.state = item.state
    bubble.querySelector(".message__text").textContent = item.text
    bubble.querySelector(".message__names").textContent = item.files.map((file) => file.name).join(", ")
    bubble.querySelector("[data-reason]").textContent = item.reason
    bubble.querySelector("[data-again]").onclick = () => { this.#change(item, "sending"); this.#flush() }
    bubble.querySelector("[data-edit]").onclick = () => { this.#drop(item.cid); this.#chat.dispatchEvent(new CustomEvent("visitor:edit", { detail: item })) }
    return bubble
  }
})
