import { suite } from '../suite.ts'
import { isWhole } from './created-project.ts'

const test = suite('npm create bailiff-plugin: notifier', 'npm')

for (const language of ['js', 'ts'])
  test(`in ${language}: its test passes, it is packed, installed and accepted`, () => isWhole('notifier', language))

test.run()
