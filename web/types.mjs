// Turns the API's description (OpenAPI 3.1 as JSON on standard input) into
// TypeScript types on standard output. Only what huma writes is handled; anything
// else stops the build, so that a type is never silently wrong.
import { readFileSync } from 'node:fs'

const api = JSON.parse(readFileSync(0, 'utf8'))

function type(s) {
  if (s.$ref) return `components['schemas']['${s.$ref.split('/').pop()}']`
  if (s.enum) return s.enum.map((v) => JSON.stringify(v)).join(' | ')
  const kinds = Array.isArray(s.type) ? s.type : [s.type]
  return kinds.map((k) => one(k, s)).join(' | ')
}

function one(kind, s) {
  switch (kind) {
    case undefined:
      return 'unknown'
    case 'null':
      return 'null'
    case 'boolean':
      return 'boolean'
    case 'string':
      return 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return `(${type(s.items)})[]`
    case 'object':
      if (s.properties) return body(s)
      if (s.additionalProperties && s.additionalProperties !== true) return `{ [key: string]: ${type(s.additionalProperties)} }`
      return '{ [key: string]: unknown }'
  }
  throw new Error(`no TypeScript for schema type ${kind}`)
}

function body(s) {
  const required = new Set(s.required ?? [])
  const lines = Object.entries(s.properties).map(([name, p]) => {
    const doc = p.description ? `      /** ${p.description.replaceAll('*/', '')} */\n` : ''
    return `${doc}      ${JSON.stringify(name)}${required.has(name) ? '' : '?'}: ${type(p)}`
  })
  return `{\n${lines.join('\n')}\n    }`
}

const schemas = Object.entries(api.components.schemas)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, s]) => `    ${/^\w+$/.test(name) ? name : JSON.stringify(name)}: ${type(s)}`)
process.stdout.write(`// Generated from docs/openapi.yaml by types.mjs. Do not edit.
export interface components {
  schemas: {
${schemas.join('\n')}
  }
}
`)
