import * as assert from 'uvu/assert'
import { suite } from '../suite.ts'
import { followGuide } from './followed-guide.ts'
import { guideSections } from './guide-sections.ts'

const test = suite('docs/writing-plugins.md', 'bash', 'npm')

test('whoever follows the guide has a ban by an action of his own, and by its package', async () => {
  assert.ok((await followGuide(guideSections((heading) => /^\d\. /.test(heading)))) > 20)
})

test.run()
