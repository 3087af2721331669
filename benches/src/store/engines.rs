//! The engines, each in its durable form. Their defaults, but for fjall, which is set up as the node does it.

use std::{fs::File, io::Write, path::Path};

use anyhow::{Result, bail};
use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode,
    config::{BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry},
};
use heed::types::Bytes;
use redb::{ReadableDatabase, TableDefinition};

/// All of them; the node's first, then the limit.
pub const ENGINES: [&str; 5] = ["fjall", "plain file", "redb", "LMDB", "sled"];

/// What is written.
pub struct Pair {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// What is asked of an engine.
pub trait Engine {
    /// Writes all pairs, and returns when the disk has them.
    fn commit(&mut self, pairs: &[Pair]) -> Result<()>;
    /// Finds a value.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Whether it can find anything.
    fn has_index(&self) -> bool {
        true
    }
}

/// Opens an engine by its name, in a folder of its own.
pub fn open(engine: &str, folder: &Path) -> Result<Box<dyn Engine>> {
    Ok(match engine {
        "fjall" => Box::new(Fjall::open(folder)?),
        "plain file" => Box::new(PlainFile(File::options().create(true).append(true).open(folder.join("file"))?)),
        "redb" => Box::new(Redb(redb::Database::create(folder.join("redb"))?)),
        "LMDB" => Box::new(Lmdb::open(folder)?),
        "sled" => Box::new(sled::open(folder.join("sled"))?),
        _ => bail!("no engine {engine}"),
    })
}

/// The limit: what a disk does that is only appended to.
struct PlainFile(File);

impl Engine for PlainFile {
    fn commit(&mut self, pairs: &[Pair]) -> Result<()> {
        let bytes: Vec<u8> = pairs.iter().flat_map(|pair| [&pair.key, &pair.value]).flatten().copied().collect();
        self.0.write_all(&bytes)?;
        Ok(self.0.sync_data()?)
    }

    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn has_index(&self) -> bool {
        false
    }
}

struct Fjall {
    database: Database,
    pairs: Keyspace,
}

impl Fjall {
    fn open(folder: &Path) -> Result<Self> {
        let database = Database::builder(folder)
            .cache_size(32 << 20)
            .max_journaling_size(64 << 20)
            .journal_compression(CompressionType::None)
            .open()?;
        let bloom = FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(10.0));
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(8 << 20)
                .data_block_compression_policy(CompressionPolicy::disabled())
                .filter_policy(FilterPolicy::all(bloom))
        };
        let pairs = database.keyspace("pairs", options)?;
        Ok(Self { database, pairs })
    }
}

impl Engine for Fjall {
    fn commit(&mut self, pairs: &[Pair]) -> Result<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        pairs.iter().for_each(|pair| batch.insert(&self.pairs, &*pair.key, &*pair.value));
        Ok(batch.commit()?)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.pairs.get(key)?.map(|value| value.to_vec()))
    }
}

struct Redb(redb::Database);

const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("pairs");

impl Engine for Redb {
    fn commit(&mut self, pairs: &[Pair]) -> Result<()> {
        let write = self.0.begin_write()?;
        let mut table = write.open_table(TABLE)?;
        for pair in pairs {
            table.insert(&*pair.key, &*pair.value)?;
        }
        drop(table);
        Ok(write.commit()?)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.0.begin_read()?.open_table(TABLE)?.get(key)?.map(|value| value.value().to_vec()))
    }
}

struct Lmdb {
    env: heed::Env,
    pairs: heed::Database<Bytes, Bytes>,
}

impl Lmdb {
    fn open(folder: &Path) -> Result<Self> {
        let mut options = heed::EnvOpenOptions::new();
        options.map_size(4 << 30);
        // The one unsafe call of the benches. Sound as long as nobody else changes the mapped file: the folder is
        // this process' own, and temporary.
        #[allow(unsafe_code)]
        let env = unsafe { options.open(folder) }?;
        let mut write = env.write_txn()?;
        let pairs = env.create_database(&mut write, None)?;
        write.commit()?;
        Ok(Self { env, pairs })
    }
}

impl Engine for Lmdb {
    fn commit(&mut self, pairs: &[Pair]) -> Result<()> {
        let mut write = self.env.write_txn()?;
        for pair in pairs {
            self.pairs.put(&mut write, &pair.key, &pair.value)?;
        }
        Ok(write.commit()?)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let read = self.env.read_txn()?;
        Ok(self.pairs.get(&read, key)?.map(<[u8]>::to_vec))
    }
}

impl Engine for sled::Db {
    fn commit(&mut self, pairs: &[Pair]) -> Result<()> {
        let mut batch = sled::Batch::default();
        pairs.iter().for_each(|pair| batch.insert(&*pair.key, &*pair.value));
        self.apply_batch(batch)?;
        self.flush()?;
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(sled::Tree::get(self, key)?.map(|value| value.to_vec()))
    }
}
