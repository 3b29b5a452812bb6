import { suite } from '../suite.ts'
import { isWhole } from './created-project.ts'

const test = suite('npm create bailiff-plugin: content', 'npm')

test('its samples hold, it is packed, installed and accepted', () => isWhole('content', 'yaml'))

test.run()
