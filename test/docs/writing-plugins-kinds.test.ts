import * as assert from 'uvu/assert'
import { suite } from '../suite.ts'
import { followGuide } from './followed-guide.ts'
import { guideSections } from './guide-sections.ts'

const test = suite('docs/writing-plugins.md, the other kinds', 'bash', 'npm')

test('what the guide says of the other kinds is so', async () => {
  // In its project, with its server; the part of WebAssembly has a test of its own.
  const isMeant = (heading: string) => /^[13]\. /.test(heading) || !/^\d\. |WebAssembly/.test(heading)
  assert.ok((await followGuide(guideSections(isMeant), { quick: true })) > 10)
})

test.run()
