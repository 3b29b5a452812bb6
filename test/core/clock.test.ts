import * as assert from 'uvu/assert'
import { Clock } from '../../core/clock.ts'
import { suite } from '../suite.ts'

const test = suite('the clock')

test('what was set is told once; time that goes by, sleep, slewing and slow readings are not', () => {
  const [second, hour] = [1000, 3600_000]
  const time = { wall: 5e11, steady: 100, boot: 7000 }
  let slow = 0
  const clock = new Clock({
    wall: () => time.wall,
    steady: () => (time.steady += slow),
    boot: () => time.boot,
  })
  const pass = (wall: number, steady = wall, boot = steady) => {
    time.wall += wall
    time.steady += steady
    time.boot += boot
    return clock.step()
  }
  assert.is(pass(second), 0)
  assert.is(pass(hour + second, second), hour)
  assert.is(pass(second), 0)
  assert.is(pass(-hour + second, second), -hour)
  assert.is(pass(8 * hour, second, 8 * hour), 0, 'it slept')
  assert.is(pass(8 * hour + 90 * second, second, 8 * hour), 90 * second, 'it was set while it slept')
  for (let i = 0; i < 10; i++) assert.is(pass(second + 400, second), 0, 'it slews')
  slow = 60
  assert.is(pass(hour, second), 0, 'the reading was interrupted')
  slow = 0
  assert.is(pass(second), hour - second, 'and is made good by the next')
})

test.run()
