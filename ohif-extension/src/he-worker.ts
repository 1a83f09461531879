// The worker that encrypts and decrypts; a file of its own, so that it can be loaded by its address.
import '@cipherdose/sdk/worker';
