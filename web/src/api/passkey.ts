import { ask, Failed, type Me } from './client'

// What browsers call these steps; older type libraries do not know them yet.
interface Passkeys {
  parseCreationOptionsFromJSON?(options: unknown): PublicKeyCredentialCreationOptions
  parseRequestOptionsFromJSON?(options: unknown): PublicKeyCredentialRequestOptions
}

const able = () => (typeof PublicKeyCredential === 'undefined' ? undefined : (PublicKeyCredential as unknown as Passkeys))

/** Whether this browser has passkeys, and may use them on this page. */
export const hasPasskeys = () => window.isSecureContext && !!able()?.parseCreationOptionsFromJSON && !!able()?.parseRequestOptionsFromJSON

/** Turns a browser's refusal into a sentence. */
function because(e: unknown): Error {
  if (e instanceof Failed) return e
  const name = e instanceof DOMException ? e.name : ''
  if (name === 'InvalidStateError') return new Failed(0, 'This device holds a passkey for your account already.')
  if (name === 'NotAllowedError') return new Failed(0, 'Nothing was chosen, or the device did not answer in time. Try again.')
  if (name === 'SecurityError') return new Failed(0, 'Passkeys do not work under this address: open Ballast under the name in its configuration.')
  return new Failed(0, `The browser could not do it: ${(e as Error).message}`)
}

/** Registers a passkey of this device for one's own account. */
export async function addPasskey(name: string, password: string): Promise<void> {
  try {
    const options = await ask<unknown>('POST', '/account/passkeys/options', { password: password || undefined })
    const credential = (await navigator.credentials.create({ publicKey: able()!.parseCreationOptionsFromJSON!(options) })) as PublicKeyCredential
    await ask('POST', '/account/passkeys', { name, credential: credential.toJSON() })
  } catch (e) {
    throw because(e)
  }
}

/** Signs in with a passkey that the person chooses. */
export async function signInByPasskey(): Promise<Me> {
  try {
    const options = await ask<unknown>('POST', '/session/passkey/options')
    const credential = (await navigator.credentials.get({ publicKey: able()!.parseRequestOptionsFromJSON!(options) })) as PublicKeyCredential
    return await ask<Me>('POST', '/session/passkey', credential.toJSON())
  } catch (e) {
    throw because(e)
  }
}
