import { suite } from '../suite.ts'
import { isWhole } from './created-project.ts'

const test = suite('projects that npm create bailiff-plugin writes, in AssemblyScript', 'npm')

test('matcher: its test passes, it is packed, installed and accepted', () => isWhole('matcher', 'assemblyscript'))

test.run()
