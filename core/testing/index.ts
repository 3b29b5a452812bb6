/**
 * `bailiff/testing`: what tests of a plugin need. One conformance suite a kind, a list of checks that any test runner
 * runs; testers; a clock that stands still, a firewall that remembers, and what enemies write.
 */
export { actionChecks, type ActionSubject } from './action-checks.ts'
export { ActionTester, type ActionTesterOptions } from './action-tester.ts'
export { registerChecks, runCheck, type Check, type CheckOutcome } from './check.ts'
export { FakeFirewall, type FirewallCall } from './fake-firewall.ts'
export { filterChecks, findInLines, type ExpectedLine, type FoundInLine, type TriedFilter } from './filter-tester.ts'
export { hostileBans, hostileEvents, hostileLines, hostileTexts, noAddresses } from './hostile-inputs.ts'
export { matcherChecks } from './matcher-checks.ts'
export { findByModule, linesOf, moduleChecks, type FoundByModule, type ModuleSubject } from './module-checks.ts'
export { notifierChecks, type NotifierSubject } from './notifier-checks.ts'
export { optionIssues, readOptions } from './option-checks.ts'
export { recordAction, recordNotifier, type Call } from './recorded-calls.ts'
export { actionBan, everyEvent, samplePrefixes } from './sample-bans.ts'
export { sourceChecks, type SourceSubject } from './source-checks.ts'
export { testHost, type Logged, type TestHost, type TestHostOptions } from './test-host.ts'
export { VirtualClock } from './virtual-clock.ts'
