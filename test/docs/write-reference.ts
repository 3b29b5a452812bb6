/** Writes docs/plugin-reference.md: `npm run docs`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { referenceText } from './reference-text.ts'

const built = fileURLToPath(new URL('../../', import.meta.url))
writeFileSync(fileURLToPath(new URL('../../../docs/plugin-reference.md', import.meta.url)), referenceText(built))
