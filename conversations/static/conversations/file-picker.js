// <file-picker>: files are uploaded when they are chosen or pasted; then the field is emptied, so that they are not
// sent a second time with the form.
customElements.define("file-picker", class extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input[type=file]")
    this.form = this.closest("form")
    this.input.addEventListener("htmx:afterRequest", this.#empty)
    this.form.addEventListener("paste", this.#paste)
  }

  disconnectedCallback() {
    this.form.removeEventListener("paste", this.#paste)
  }

  #empty = () => { this.input.value = "" }

  #paste = (event) => {
    if (!event.clipboardData?.files.length) return
    event.preventDefault()
    this.input.files = event.clipboardData.files
    this.input.dispatchEvent(new Event("change", { bubbles: true }))
  }
})
