// Which URL means which bytes: (URL, where they come from, SHA-256 of the file). Included by build.rs.
// What npm carries is written by extract.mjs; a file whose hash is another ends the build.
&[
    ("https://www.w3.org/2018/credentials/v1", Crate(ssi_contexts::CREDENTIALS_V1), "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc"),
    ("https://www.w3.org/ns/credentials/v2", Crate(ssi_contexts::CREDENTIALS_V2), "8a9f494a89ecc51db093e90e84713e07e84d6d9204364a9b3c7868b21751236f"),
    ("https://www.w3.org/ns/credentials/examples/v2", Crate(ssi_contexts::CREDENTIALS_EXAMPLES_V2), "e6600df812cdc1872f20b42ab0c1cecac39755b7ed381e7f6a88dac7baab54d6"),
    ("https://w3id.org/security/data-integrity/v1", Crate(ssi_contexts::W3ID_DATA_INTEGRITY_V1), "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554"),
    ("https://w3id.org/security/data-integrity/v2", Crate(ssi_contexts::W3ID_DATA_INTEGRITY_V2), "0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363"),
    ("https://w3id.org/security/suites/ed25519-2020/v1", Crate(ssi_contexts::W3ID_ED2020_V1), "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588"),
    ("https://w3id.org/security/multikey/v1", Crate(ssi_contexts::W3ID_MULTIKEY_V1), "00e1592fd321ed9b843aee80f4f25e23a3fa53e514e73dc9d109fc4e0aaadf1c"),
    ("https://w3id.org/security/v1", Crate(ssi_contexts::SECURITY_V1), "abaf97e107d1925503c433dcaf3ffd2831697cacc1ed2a293e1bc8030d5bcb47"),
    ("https://w3id.org/security/v2", Crate(ssi_contexts::SECURITY_V2), "611bd81151d5efe53ec9aed78f5a813e577287bc9451ee26d6879b1b8b46bc3b"),
    ("https://w3id.org/vc/status-list/2021/v1", Crate(ssi_contexts::STATUS_LIST_2021_V1), "6dd06a52bedb771e059c1083ba8ba7848dce22f6b4a8cfa0b98ba3fc188870e4"),
    ("https://www.w3.org/ns/credentials/status/v1", Npm, "1d5d557d174395f467c025726ff37da4b18e81d95e2a7e285d8e2158e5f889ce"),
    ("https://purl.imsglobal.org/spec/ob/v3p0/context.json", Npm, "ce6ab7f5729910f4fd7f35ec2cdb91f15446d1d2f886b6ccc1c1380b47fa8383"),
    ("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json", Npm, "a6196945628b9d02b7b60f57f0a8f6baa9771a202d1a9e378555fc95d71d6c33"),
    ("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", Npm, "3b7ee3db2a81386e4369ea73ccc6b85f3cf463094e633466cee7e0b048cbeb35"),
    ("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", Npm, "e407ae98563c7b4708be4c8198a7f254bc09c131afc68e73d5f90eb0a34c6f7f"),
    ("https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", Npm, "f9767b4f07e2c92e6c084c34882f67cb335b13f0aface4b9bfc2ea08432a5892"),
    ("https://w3id.org/dcc/v1", Npm, "a4352057858c806bcef2731164effb1284444f06a263a0d07a491d265e255f6d"),
]
