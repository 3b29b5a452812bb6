import { suite } from '../../suite.ts'
import { bansGoOn } from './bad-plugin-bed.ts'

const test = suite('an agent with bad sources, without a firewall')

bansGoOn(test, 'source')

test.run()
