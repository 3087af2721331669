// Compares the committed artefacts with what `forge build` left in out/; `--update` rewrites them.
//
//   artifacts/Registry.json         ABI, code, code hash, and the address it gets on every chain
//   artifacts/storage-layout.json   the frozen slots
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const contracts = dirname(dirname(fileURLToPath(import.meta.url)));
// Deployed on every chain by the deterministic deployment proxy (CREATE2), under this salt.
const proxy = '0x4e59b44847b379578588920cA78FbF26c0B4956C';
const saltText = 'testamur.registry.v1';

const cast = (...args) =>
  execFileSync(join(contracts, 'node_modules/.bin/cast'), args, { encoding: 'utf8' }).trim();

function registry(built) {
  const { abi, bytecode, deployedBytecode } = built;
  if (Object.keys(deployedBytecode.immutableReferences ?? {}).length) {
    throw new Error('the code has immutables, so its hash would differ between chains');
  }
  const salt = cast('keccak', saltText);
  const initCodeHash = cast('keccak', bytecode.object);
  const address = cast('create2', '--deployer', proxy, '--salt', salt, '--init-code-hash', initCodeHash).match(/0x[0-9a-fA-F]{40}/)[0];
  return {
    abi,
    bytecode: bytecode.object,
    codeHash: cast('keccak', deployedBytecode.object),
    create2: { address, proxy, salt },
    deployedBytecode: deployedBytecode.object,
    solc: built.metadata.compiler.version,
  };
}

function storageLayout({ storage, types }) {
  const name = (type) => types[type].label;
  const field = ({ label, offset, slot, type }) => `${slot}+${offset} ${name(type)} ${label}`;
  const structs = Object.values(types).filter((type) => type.members);
  return {
    'slot+byte': storage.map(field),
    structs: Object.fromEntries(structs.map((type) => [type.label, type.members.map(field)])),
  };
}

const sorted = (value) =>
  Array.isArray(value) ? value.map(sorted)
  : value && typeof value === 'object'
    ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
    : value;

const built = JSON.parse(readFileSync(join(contracts, 'out/Registry.sol/Registry.json'), 'utf8'));
const artefacts = { 'Registry.json': registry(built), 'storage-layout.json': storageLayout(built.storageLayout) };

for (const [file, value] of Object.entries(artefacts)) {
  const path = join(contracts, 'artifacts', file);
  const text = JSON.stringify(sorted(value), null, 1) + '\n';
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (process.argv.includes('--update')) {
    writeFileSync(path, text);
    console.log(`contracts/artifacts/${file} rewritten`);
  } else {
    console.error(`contracts/artifacts/${file} differs from the source; if that is meant: scripts/check-contracts --update`);
    process.exitCode = 1;
  }
}
