import { suite } from '../../suite.ts'
import { bansGoOn } from './bad-plugin-bed.ts'

const test = suite('an agent with bad actions, without a firewall')

bansGoOn(test, 'action')

test.run()
