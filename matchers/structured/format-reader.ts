import type { Structure } from '../../core/plugin.ts'
import type { FieldTree } from './field-tree.ts'
import { FieldValues } from './field-values.ts'
import { JsonReader, unescapeJson } from './json-reader.ts'
import { LogfmtReader, unescapeLogfmt } from './logfmt-reader.ts'

/** The reader of a format, and the values that it fills. All fields are in the tree already. */
export function createReader(
  format: Structure['format'],
  structures: readonly Structure[],
  tree: FieldTree,
): { readonly reader: JsonReader | LogfmtReader; readonly values: FieldValues } {
  const isJson = format === 'json'
  const unique = new Set(structures.flatMap((structure) => addressSlots(structure, tree)))
  const values = new FieldValues(tree.slots, isJson ? unescapeJson : unescapeLogfmt)
  const reader = isJson ? new JsonReader(tree.root, values) : new LogfmtReader(tree.root, values, unique)
  return { reader, values }
}

function addressSlots({ address, forwarded }: Structure, tree: FieldTree): number[] {
  return [...address, ...forwarded].flatMap((path) => tree.field(path))
}
