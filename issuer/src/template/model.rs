//! The data model of Open Badges 3.0 (1EdTech, appendix B), as far as an achievement reaches: which members each class
//! has, and what may stand in them. Tables only; `read` goes by them.
//!
//! Left out, because no context defines them for a signature: members of extensions, and types other than a class's own.

/// A class of the data model.
#[derive(Debug)]
pub struct Class {
    /// Its name, which its `type` states.
    pub name: &'static str,
    /// How its `type` is written.
    pub stamp: Stamp,
    /// Where a bare text stands for the whole object.
    pub short: Short,
    /// Its members, in the order in which credentials carry them.
    pub members: &'static [Member],
}

/// How an object states its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// `"type": ["Alignment"]`.
    List,
    /// `"type": "Image"`.
    Text,
    /// Not at all.
    None,
}

/// What a bare text means in the place of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    /// Nothing: an object is needed.
    No,
    /// This member.
    Member(&'static str),
    /// A web address is its `id`, anything else this member.
    LinkOr(&'static str),
}

/// A member of a class.
#[derive(Debug)]
pub struct Member {
    /// Its name in Open Badges.
    pub name: &'static str,
    /// The shorter name that templates may use.
    pub alias: Option<&'static str>,
    /// What stands in it.
    pub kind: Kind,
    /// Whether there may be several.
    pub many: bool,
    /// Whether it must be there.
    pub required: bool,
}

/// What may stand in a member.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text, which is not blank.
    Text,
    /// A number of credits, or a coordinate.
    Number {
        /// From here.
        from: f64,
        /// Up to here.
        to: f64,
    },
    /// An absolute URI (RFC 3986).
    Uri,
    /// A URI that a browser opens: `http:` or `https:`.
    Link,
    /// A language, as BCP 47 writes it.
    Language,
    /// One of these words, or one of one's own that begins with `ext:`.
    Term(&'static [&'static str]),
    /// An `Image`: a file beside the template, an `https:` URL or a `data:` URL.
    Picture,
    /// An endorsement as a compact JWS.
    Jws,
    /// A credential of somebody else's, kept as it stands: its signature covers it.
    Endorsement,
    /// An object of this class.
    Object(&'static Class),
}

const fn text(name: &'static str) -> Member {
    Member { name, alias: None, kind: Kind::Text, many: false, required: false }
}

const fn member(name: &'static str, kind: Kind) -> Member {
    Member { name, alias: None, kind, many: false, required: false }
}

impl Member {
    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn many(self) -> Self {
        Self { many: true, ..self }
    }

    const fn or(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }
}

const CREDITS: Kind = Kind::Number { from: 0.0, to: 1_000_000.0 };

/// What a credential is awarded for.
pub static ACHIEVEMENT: Class = Class {
    name: "Achievement",
    stamp: Stamp::List,
    short: Short::No,
    members: &[
        member("id", Kind::Uri),
        text("name").required(),
        text("description").required(),
        member("criteria", Kind::Object(&CRITERIA)).required(),
        member("image", Kind::Picture),
        member("achievementType", Kind::Term(ACHIEVEMENT_TYPES)).or("kind"),
        member("alignment", Kind::Object(&ALIGNMENT)).many().or("skills"),
        member("creditsAvailable", CREDITS).or("credits"),
        text("fieldOfStudy").or("field"),
        text("specialization"),
        text("humanCode").or("code"),
        member("inLanguage", Kind::Language).or("language"),
        text("version"),
        text("tag").many().or("tags"),
        member("resultDescription", Kind::Object(&RESULT_DESCRIPTION)).many().or("results"),
        member("creator", Kind::Object(&PROFILE)),
        member("otherIdentifier", Kind::Object(&IDENTIFIER_ENTRY)).many(),
        member("related", Kind::Object(&RELATED)).many(),
        member("endorsement", Kind::Endorsement).many(),
        member("endorsementJwt", Kind::Jws).many(),
    ],
};

/// A node of a framework of skills that something corresponds to.
pub static ALIGNMENT: Class = Class {
    name: "Alignment",
    stamp: Stamp::List,
    short: Short::No,
    members: &[
        text("targetName").required().or("name"),
        member("targetUrl", Kind::Link).required().or("url"),
        text("targetFramework").or("framework"),
        member("targetType", Kind::Term(TARGET_TYPES)).or("kind"),
        text("targetCode").or("code"),
        text("targetDescription").or("description"),
    ],
};

/// What is to be done for an achievement.
pub static CRITERIA: Class = Class {
    name: "Criteria",
    stamp: Stamp::None,
    short: Short::LinkOr("narrative"),
    members: &[member("id", Kind::Uri).or("url"), text("narrative")],
};

/// What a learner did.
pub static EVIDENCE: Class = Class {
    name: "Evidence",
    stamp: Stamp::List,
    short: Short::LinkOr("narrative"),
    members: &[
        member("id", Kind::Uri).or("url"),
        text("name"),
        text("description"),
        text("narrative"),
        text("genre"),
        text("audience"),
    ],
};

/// Another edition of an achievement.
pub static RELATED: Class = Class {
    name: "Related",
    stamp: Stamp::List,
    short: Short::Member("id"),
    members: &[
        member("id", Kind::Uri).required().or("url"),
        member("inLanguage", Kind::Language).or("language"),
        text("version"),
    ],
};

/// A result that may be awarded with an achievement.
pub static RESULT_DESCRIPTION: Class = Class {
    name: "ResultDescription",
    stamp: Stamp::List,
    short: Short::No,
    members: &[
        member("id", Kind::Uri),
        text("name").required(),
        member("resultType", Kind::Term(RESULT_TYPES)).required().or("kind"),
        text("allowedValue").many().or("allowed"),
        text("requiredValue"),
        text("valueMin"),
        text("valueMax"),
        member("rubricCriterionLevel", Kind::Object(&RUBRIC_CRITERION_LEVEL)).many().or("levels"),
        text("requiredLevel"),
        member("alignment", Kind::Object(&ALIGNMENT)).many().or("skills"),
    ],
};

/// A level that such a result may reach.
pub static RUBRIC_CRITERION_LEVEL: Class = Class {
    name: "RubricCriterionLevel",
    stamp: Stamp::List,
    short: Short::Member("name"),
    members: &[
        member("id", Kind::Uri),
        text("name").required(),
        text("level"),
        text("points"),
        text("description"),
        member("alignment", Kind::Object(&ALIGNMENT)).many().or("skills"),
    ],
};

/// What something is called elsewhere.
pub static IDENTIFIER_ENTRY: Class = Class {
    name: "IdentifierEntry",
    stamp: Stamp::Text,
    short: Short::No,
    members: &[text("identifier").required(), member("identifierType", Kind::Term(IDENTIFIER_TYPES)).required()],
};

/// An organisation: whoever defined the achievement.
pub static PROFILE: Class = Class {
    name: "Profile",
    stamp: Stamp::List,
    short: Short::Member("id"),
    members: &[
        member("id", Kind::Uri).required(),
        text("name"),
        member("url", Kind::Link),
        text("phone"),
        text("email"),
        text("description"),
        member("image", Kind::Picture),
        member("address", Kind::Object(&ADDRESS)),
        member("otherIdentifier", Kind::Object(&IDENTIFIER_ENTRY)).many(),
        text("official"),
        member("parentOrg", Kind::Object(&PROFILE)),
        member("endorsement", Kind::Endorsement).many(),
        member("endorsementJwt", Kind::Jws).many(),
    ],
};

/// Where to write to.
pub static ADDRESS: Class = Class {
    name: "Address",
    stamp: Stamp::List,
    short: Short::No,
    members: &[
        text("streetAddress"),
        text("postOfficeBoxNumber"),
        text("postalCode"),
        text("addressLocality"),
        text("addressRegion"),
        text("addressCountryCode"),
        text("addressCountry"),
        member("geo", Kind::Object(&GEO_COORDINATES)),
    ],
};

/// A place on the map.
pub static GEO_COORDINATES: Class = Class {
    name: "GeoCoordinates",
    stamp: Stamp::Text,
    short: Short::No,
    members: &[
        member("latitude", Kind::Number { from: -90.0, to: 90.0 }).required(),
        member("longitude", Kind::Number { from: -180.0, to: 180.0 }).required(),
    ],
};

const ACHIEVEMENT_TYPES: &[&str] = &[
    "Achievement",
    "ApprenticeshipCertificate",
    "Assessment",
    "Assignment",
    "AssociateDegree",
    "Award",
    "BachelorDegree",
    "Badge",
    "Certificate",
    "CertificateOfCompletion",
    "Certification",
    "CoCurricular",
    "CommunityService",
    "Competency",
    "Course",
    "Degree",
    "Diploma",
    "DoctoralDegree",
    "Fieldwork",
    "GeneralEducationDevelopment",
    "JourneymanCertificate",
    "LearningProgram",
    "License",
    "MasterCertificate",
    "MasterDegree",
    "Membership",
    "MicroCredential",
    "ProfessionalDoctorate",
    "QualityAssuranceCredential",
    "ResearchDoctorate",
    "SecondarySchoolDiploma",
];

const TARGET_TYPES: &[&str] = &[
    "ceasn:Competency",
    "ceterms:Credential",
    "CFItem",
    "CFRubric",
    "CFRubricCriterion",
    "CFRubricCriterionLevel",
    "CTDL",
];

const RESULT_TYPES: &[&str] = &[
    "GradePointAverage",
    "LetterGrade",
    "Percent",
    "PerformanceLevel",
    "PredictedScore",
    "RawScore",
    "Result",
    "RubricCriterion",
    "RubricCriterionLevel",
    "RubricScore",
    "ScaledScore",
    "Status",
];

const IDENTIFIER_TYPES: &[&str] = &[
    "name",
    "sourcedId",
    "systemId",
    "productId",
    "userName",
    "accountId",
    "emailAddress",
    "nationalIdentityNumber",
    "isbn",
    "issn",
    "lisSourcedId",
    "oneRosterSourcedId",
    "sisSourcedId",
    "ltiContextId",
    "ltiDeploymentId",
    "ltiToolId",
    "ltiPlatformId",
    "ltiUserId",
    "identifier",
];
