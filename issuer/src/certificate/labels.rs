//! The words of a certificate that no credential brings along.

use super::Language;

/// In one language.
pub(super) struct Labels {
    pub certificate: &'static str,
    pub certifies: &'static str,
    pub awarded: &'static str,
    /// Where nobody is named.
    pub to_holder: &'static str,
    pub date: &'static str,
    pub valid_until: &'static str,
    pub credits: &'static str,
    pub result: &'static str,
    pub field: &'static str,
    pub license: &'static str,
    pub criteria: &'static str,
    pub scan: &'static str,
    pub link: &'static str,
    pub credential: &'static str,
    pub issuer: &'static str,
    /// How to verify it without the issuer.
    pub hint: &'static str,
    pub attached: &'static str,
    pub receipt: &'static str,
    pub emblem_of: &'static str,
    pub verifiable: &'static str,
}

impl Labels {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Spanish => &SPANISH,
        }
    }
}

const ENGLISH: Labels = Labels {
    certificate: "CERTIFICATE",
    certifies: "This is to certify that",
    awarded: "has been awarded",
    to_holder: "Awarded to the holder of this credential",
    date: "Date",
    valid_until: "Valid until",
    credits: "Credits",
    result: "Result",
    field: "Field",
    license: "License",
    criteria: "Criteria: ",
    scan: "Scan to verify",
    link: "Link",
    credential: "Credential",
    issuer: "Issuer",
    hint: "To verify without the issuer: give this file to any verifier of Open Badges 3.0. The signed credential is \
           attached to it.",
    attached: "The signed credential that this certificate shows",
    receipt: "The proof that it was registered, and when",
    emblem_of: "Emblem of",
    verifiable: "Verifiable credential",
};

const SPANISH: Labels = Labels {
    certificate: "CERTIFICADO",
    certifies: "Se certifica que",
    awarded: "ha obtenido",
    to_holder: "Concedido al titular de esta credencial",
    date: "Fecha",
    valid_until: "Válido hasta",
    credits: "Créditos",
    result: "Resultado",
    field: "Área",
    license: "Licencia",
    criteria: "Criterios: ",
    scan: "Escanee para verificar",
    link: "Enlace",
    credential: "Credencial",
    issuer: "Emisor",
    hint: "Para verificarlo sin el emisor, entregue este archivo a cualquier verificador de Open Badges 3.0. Lleva \
           adjunta la credencial firmada.",
    attached: "La credencial firmada que muestra este certificado",
    receipt: "La prueba de que fue registrada, y cuándo",
    emblem_of: "Emblema de",
    verifiable: "Credencial verificable",
};
