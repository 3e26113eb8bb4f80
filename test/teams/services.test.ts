import { describe, expect, test } from '@jest/globals'
import { createServiceList } from '../../src/teams/services.ts'

const alarms: unknown[] = []
let misses = 0
const isListed = createServiceList({
  hosts: ['smba.trafficmanager.net', '127.0.0.1:4200'],
  log: (level, event, fields) => alarms.push([level, event, fields]),
  onMiss: () => {
    misses++
  },
})

describe('a service', () => {
  test.each([
    'https://smba.trafficmanager.net/teams/',
    'https://smba.trafficmanager.net/emea/72f988bf-0000-4000-8000-00000000c0de/',
    'https://smba.trafficmanager.net/teams',
    'https://smba.trafficmanager.net',
    'http://127.0.0.1:4200/teams/',
  ])('is listed: %s', (serviceUrl) => {
    expect(isListed(serviceUrl)).toBe(true)
  })

  test.each([
    ['in the clear', 'http://smba.trafficmanager.net/teams/'],
    ['by another scheme', 'ftp://smba.trafficmanager.net/teams/'],
    ['at another port', 'https://smba.trafficmanager.net:8443/'],
    ['at a name below it', 'https://x.smba.trafficmanager.net/'],
    ['at a name that begins so', 'https://smba.trafficmanager.net.example/'],
    ['at a name that ends so', 'https://notsmba.trafficmanager.net/'],
    ['at a sister', 'https://mine.trafficmanager.net/'],
    ['at its absolute name', 'https://smba.trafficmanager.net./'],
    ['with a user', 'https://smba.trafficmanager.net@example.test/'],
    ['with a user before it', 'https://me@smba.trafficmanager.net/'],
    ['with a backslash', 'https://smba.trafficmanager.net\\@example.test/'],
    ['with a tab', 'https://smba.trafficmanager.net\t/'],
    ['with a space', ' https://smba.trafficmanager.net/'],
    ['with a way back', 'https://smba.trafficmanager.net/../x/'],
    ['with a query', 'https://smba.trafficmanager.net/?x'],
    ['with a fragment', 'https://smba.trafficmanager.net/#x'],
    ['in capitals', 'https://SMBA.trafficmanager.net/'],
    ['in wide letters', 'https://ｓmba.trafficmanager.net/'],
    ['on this machine, elsewhere', 'http://127.0.0.1:4201/teams/'],
    ['on this machine by another spelling', 'http://2130706433:4200/teams/'],
    ['at the metadata of the machine', 'http://169.254.169.254/'],
    ['no address', 'x'],
    ['nothing', ''],
  ])('is not, and that is an alarm: %s', (_, serviceUrl) => {
    const [before, missed] = [alarms.length, misses]
    expect(isListed(serviceUrl)).toBe(false)
    expect(alarms.slice(before)).toEqual([['error', 'teams.serviceNotListed', expect.anything()]])
    expect(misses).toBe(missed + 1)
  })
})
