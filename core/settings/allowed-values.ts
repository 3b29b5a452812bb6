import type { JsonSchema } from './option-kinds.ts'
import { isRecord } from './sourced.ts'

/** What a JSON Schema allows, in words for people; `definitions`: what it refers to, by name. */
export function allowedInWords(schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>>): string {
  const { title, examples, enum: words, anyOf, $ref: reference } = schema
  if (typeof title === 'string') return withExamples(title, examples)
  if (Array.isArray(words)) return words.map(String).join(' or ')
  if (schema.const !== undefined) return String(schema.const)
  if (typeof reference === 'string') {
    const { description } = definitions[nameOf(reference)] ?? {}
    return typeof description === 'string' ? description : nameOf(reference)
  }
  if (Array.isArray(anyOf)) return alternatives(anyOf as JsonSchema[], definitions)
  return withExamples(ofType(schema), examples)
}

/** The name behind `#/$defs/`. */
export function nameOf(reference: string): string {
  return reference.replace(/^.*\//, '')
}

/** `anyOf: [X, array of X]` is one or several X; null is only the absence of a value. */
function alternatives(anyOf: readonly JsonSchema[], definitions: Readonly<Record<string, JsonSchema>>): string {
  const [first, second] = anyOf
  if (first && second?.type === 'array' && JSON.stringify(second.items) === JSON.stringify(first))
    return `${allowedInWords(first, definitions)}; one, or a list`
  const texts = anyOf.filter(({ type }) => type !== 'null').map((one) => allowedInWords(one, definitions))
  return [...new Set(texts)].join('; or ')
}

function ofType({ type, minimum, maximum, properties }: JsonSchema): string {
  if (type === 'integer' || type === 'number') {
    const kind = type === 'integer' ? 'a whole number' : 'a number'
    if (minimum !== undefined && maximum !== undefined) return `${kind} from ${String(minimum)} to ${String(maximum)}`
    return kind
  }
  if (type === 'object') return isRecord(properties) ? `a map of ${Object.keys(properties).join(', ')}` : 'a map'
  return type === 'string' ? 'text' : type === 'array' ? 'a list' : type === 'boolean' ? 'true or false' : 'anything'
}

function withExamples(text: string, examples: unknown): string {
  if (!Array.isArray(examples) || examples.length === 0) return text
  return `${text}, such as ${examples.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(', ')}`
}
