import { suite } from '../../suite.ts'
import { bansGoOn } from './bad-plugin-bed.ts'

const test = suite('an agent with bad notifiers, without a firewall')

bansGoOn(test, 'notifier')

test.run()
