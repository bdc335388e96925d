// Reads lines of JSON {kind, method, value}; prints one line for each that the lexicons of the AT Protocol refuse.
import { createInterface } from 'node:readline'
import { lexicons, jsonToLex } from '@atproto/api'

const asTyped = (method, query) => {
  const known = lexicons.getDefOrThrow(method).parameters?.properties ?? {}
  const typed = {}
  for (const [key, value] of Object.entries(query)) {
    const type = known[key]?.type
    typed[key] = type === 'integer' ? Number(value) : type === 'array' ? [value].flat() : value
  }
  return typed
}
const judges = {
  params: (method, value) => lexicons.assertValidXrpcParams(method, asTyped(method, value)),
  input: (method, value) => lexicons.assertValidXrpcInput(method, jsonToLex(value)),
  output: (method, value) => lexicons.assertValidXrpcOutput(method, jsonToLex(value)),
  record: (method, value) => lexicons.assertValidRecord(method, jsonToLex(value)),
}
let judged = 0
for await (const line of createInterface({ input: process.stdin })) {
  const { kind, method, value } = JSON.parse(line)
  judged += 1
  try {
    judges[kind](method, value)
  } catch (error) {
    console.log(`${method} ${kind}: ${error.message}`)
  }
}
console.error(`judged ${judged}`)
