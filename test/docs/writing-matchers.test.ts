import * as assert from 'uvu/assert'
import { suite } from '../suite.ts'
import { followGuide } from './followed-guide.ts'
import { guideSections } from './guide-sections.ts'

const test = suite('docs/writing-plugins.md: a matcher in WebAssembly', 'bash', 'npm')

test('whoever follows the guide has a ban by a matcher of his own', async () => {
  // It stands for itself, and compiling takes its time.
  assert.ok((await followGuide(guideSections((heading) => heading === 'A matcher in WebAssembly'))) > 15)
})

test.run()
