// <visitor-files>: files chosen, pasted or dropped are uploaded at once and wait beside the text.
customElements.define("visitor-files", class extends HTMLElement {
  #chat = null
  #list = null

  connectedCallback() {
    this.#chat = this.closest("visitor-chat")
    this.#list = this.querySelector("ul")
    const input = this.closest("form").querySelector("input[type=file]")
    input.addEventListener("change", () => { this.#take(input.files); input.value = "" })
    this.#chat.addEventListener("paste", (event) => this.#take(event.clipboardData.files))
    this.#chat.addEventListener("dragover", (event) => event.preventDefault())
    this.#chat.addEventListener("drop", (event) => { event.preventDefault(); this.#take(event.dataTransfer.files) })
    this.#chat.addEventListener("visitor:edit", (event) => event.detail.files.forEach((file) => this.#add(file.name, file.token)))
  }

  get isUploading() { return this.#list.querySelector("[aria-busy=true]") !== null }

  takeAll() { // the uploaded files, which now belong to a message
    const ready = [...this.#list.querySelectorAll("[data-token]")]
    ready.forEach((row) => row.remove())
    return ready.map((row) => ({ token: row.dataset.token, name: row.dataset.name }))
  }

  #take(files) {
    for (const file of [...files].slice(0, Number(this.dataset.limit) - this.#list.children.length)) this.#upload(file)
  }

  #add(name, token) {
    const row = document.createElement("li"), label = document.createElement("bdi")
    const remove = document.createElement("button"), says = document.createElement("small")
    label.textContent = row.dataset.name = name
    Object.assign(remove, { type: "button", textContent: "×", ariaLabel: `${this.dataset.remove} ${name}`, onclick: () => { row.remove(); this.#changed() } })
    row.append(label, says, remove)
    if (token) row.dataset.token = token
    this.#list.append(row)
    this.#changed()
    return row
  }

  async #upload(file) {
    const row = this.#add(file.name), says = row.querySelector("small"), body = new FormData()
    body.append("file", file)
    row.ariaBusy = "true"
    says.textContent = this.dataset.uploading
    const answer = await this.#chat.ask(this.#chat.dataset.upload, { method: "POST", body }).catch(() => null)
    row.ariaBusy = "false"
    if (answer?.ok) Object.assign(row.dataset, await answer.json())
    row.toggleAttribute("data-refused", !answer?.ok)
    says.textContent = answer?.ok ? "" : answer ? await answer.text() : this.dataset.lost
    this.#changed()
  }

  #changed = () => this.dispatchEvent(new Event("visitor:files", { bubbles: true }))
})
