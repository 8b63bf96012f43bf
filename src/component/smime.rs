//! Sign, Encrypt and SignAndEncrypt: with what and for whom, at once or while the message is sent (rulings 4, 8, 22 to 24).

use super::Component;
use super::send::compose_options;
use super::smime_read::Abilities;
use crate::certs::x509::X509;
use crate::certs::{Certificate, signing::Hash};
use crate::config::{Setting, Settings};
use crate::enums::RecipientType;
use crate::error::{Code, Error, Result};
use crate::message::address;
use crate::message::draft::Draft;
use crate::message::entity;
use crate::message::layer::Wrap;
use crate::message::protect::Protected;
use crate::message::secured::{ENCRYPT, Readers, SIGN, folded};
use crate::smime::mime::{Encrypting, Signing};
use crate::smime::{Cipher, EncryptSpec, hash_from_name};
use std::collections::HashMap;
use std::sync::Arc;

/// Signing and encrypting.
#[derive(Default)]
pub struct Smime {
    /// What Sign and decrypting use.
    pub certificate: Certificate,
    /// Whom Encrypt encrypts for, in the order of AddRecipientCert; until Reset, ResetHeaders or MessageRecipientCount=0 (ruling 23).
    pub recipient_certs: Vec<Arc<X509>>,
    pub encrypting_algorithm: String,
    /// The object identifier.
    pub signing_algorithm: String,
    pub include_certificate: bool,
    pub include_chain: bool,
    /// Who signed the last message that was verified.
    pub signer_cert: Certificate,
    pub abilities: Abilities,
}

impl Smime {
    /// By name or object identifier, or `Auto`; it reads as it was set. Empty is the default again.
    pub fn set_encrypting_algorithm(&mut self, value: &str) -> Result<()> {
        let value = value.trim();
        if !is_auto(value) && !value.is_empty() {
            Cipher::from_name(value)?;
        }
        self.encrypting_algorithm = if value.is_empty() { Cipher::TripleDes.name() } else { value }.into();
        Ok(())
    }

    /// By name or object identifier; it reads as the identifier. Empty is the default again.
    pub fn set_signing_algorithm(&mut self, value: &str) -> Result<()> {
        let hash = if value.trim().is_empty() { Hash::Sha256 } else { hash_from_name(value)? };
        self.signing_algorithm = hash.dotted().into();
        Ok(())
    }

    /// SecurityProfile=Modern: AES, and SHA-256 or better.
    pub fn modern(&mut self) {
        self.encrypting_algorithm = Cipher::AesCbc256.name().into();
        let strong = hash_from_name(&self.signing_algorithm).is_ok_and(|hash| hash.len() >= Hash::Sha256.len());
        if !strong {
            self.signing_algorithm = Hash::Sha256.dotted().into();
        }
    }

    /// Certificate with its key, and what the signature is to carry: 281 without a certificate, 273 without its key.
    fn signing(&self, settings: &Settings) -> Result<Signing> {
        let loaded = self.certificate.loaded();
        let none = || Error::new(Code::ClientCert, "Certificate is not set, so there is nothing to sign with");
        let loaded = loaded.ok_or_else(none)?;
        let certificate = loaded.certificate.clone().ok_or_else(none)?;
        let Some(key) = loaded.key.clone() else {
            let why = format!("Certificate has no private key: {}", certificate.subject);
            return Err(Error::new(Code::Credentials, why));
        };
        if !key.belongs_to(&certificate) {
            let why = format!("the private key of Certificate is not that of {}", certificate.subject);
            return Err(Error::new(Code::Credentials, why));
        }
        let mut certificates = Vec::new();
        if self.include_certificate {
            certificates.push(Arc::clone(&certificate));
            if self.include_chain {
                certificates.extend(loaded.chain.iter().cloned());
            }
        }
        Ok(Signing {
            key,
            certificate,
            certificates,
            hash: hash_from_name(&self.signing_algorithm)?,
            pss: settings.bool(Setting::UsePss),
            detached: settings.bool(Setting::DetachedSignature),
            now,
        })
    }

    fn encrypting(&self, settings: &Settings, plan: &Plan) -> Result<Encrypting> {
        let cipher = if is_auto(&self.encrypting_algorithm) {
            let abilities: Vec<_> = plan.editions.iter().flatten().map(|found| self.abilities.of(found)).collect();
            Cipher::automatic(&abilities)
        } else {
            Cipher::from_name(&self.encrypting_algorithm)?
        };
        let oaep = match settings.bool(Setting::UseOaep) {
            true => Some(oaep(settings)?),
            false => None,
        };
        let use_ski = settings.bool(Setting::UseSubjectKeyId);
        let spec = |recipients: &Vec<Arc<X509>>| EncryptSpec { recipients: recipients.clone(), cipher, oaep, use_ski };
        Ok(Encrypting { editions: plan.editions.iter().map(spec).collect() })
    }
}

fn is_auto(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("Auto")
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The hash of OAEP and that of its mask, which is the same one unless it is set.
fn oaep(settings: &Settings) -> Result<(Hash, Hash)> {
    let hash = hash_from_name(settings.text(Setting::OaepHash))?;
    let mask = settings.text(Setting::OaepMgfHash);
    Ok((hash, if mask.is_empty() { hash } else { hash_from_name(mask)? }))
}

/// Which certificates stand in which envelope.
struct Plan {
    /// Those of the envelope for everyone, then those of the recipients apart.
    editions: Vec<Vec<Arc<X509>>>,
    readers: Readers,
}

impl Plan {
    /// Ruling 24. 272 when a recipient has no certificate where one is needed, or a Bcc recipient would be shown to others.
    fn new(certificates: &[Arc<X509>], draft: &Draft, settings: &Settings) -> Result<Plan> {
        let refused = |why: String| Err(Error::new(Code::CertNotFound, why));
        if certificates.is_empty() {
            return refused("there is no recipient certificate (AddRecipientCert)".into());
        }
        let recipients = draft.recipients.envelope();
        let recipients = recipients.map_err(|error| Error::new(Code::CertNotFound, error.into_message()))?;
        let shared = settings.text(Setting::BccEncryption).eq_ignore_ascii_case("Shared");
        let required = settings.bool(Setting::RequireRecipientCert);
        let mut owners: HashMap<String, Vec<usize>> = HashMap::new();
        let mut all_named = true;
        for (at, certificate) in certificates.iter().enumerate() {
            let names = mailboxes(certificate);
            all_named &= !names.is_empty();
            names.iter().for_each(|name| owners.entry(folded(name)).or_default().push(at));
        }
        // The certificates that name an address, in their order.
        let of = |address: &str| owners.get(&folded(address)).map_or(&[][..], Vec::as_slice);
        let is_bcc = |kind: RecipientType| kind == RecipientType::Bcc;
        let matched = all_named || required;
        if matched && let Some(missed) = recipients.iter().find(|r| of(&r.address).is_empty()) {
            return refused(format!("no recipient certificate is that of {}", missed.address));
        }
        let mut readers = Readers { matched, shared, ..Readers::default() };
        if !all_named
            && !shared
            && let Some(bcc) = recipients.iter().find(|r| is_bcc(r.kind))
        {
            let why = "a certificate names no address, so nobody can tell whether it would show a Bcc recipient to the others";
            return refused(format!("{why}: {} (BccEncryption=Shared allows it)", bcc.address));
        }
        let (bcc, visible): (Vec<_>, Vec<_>) = recipients.iter().partition(|r| is_bcc(r.kind));
        readers.together = visible.iter().map(|r| r.address.clone()).collect();
        if shared {
            readers.hidden = bcc.iter().map(|r| r.address.clone()).collect();
            return Ok(Plan { editions: vec![certificates.to_vec()], readers });
        }
        // Of each certificate, whether it is a Bcc recipient's and nobody else's.
        let mut of_bcc_alone = vec![false; certificates.len()];
        for (kind, alone) in [(&bcc, true), (&visible, false)] {
            kind.iter().flat_map(|r| of(&r.address)).for_each(|at| of_bcc_alone[*at] = alone);
        }
        let chosen = |all: &[usize], apart: bool| -> Vec<Arc<X509>> {
            let mut last = None;
            // A certificate that names an address twice stands there once.
            all.iter()
                .filter(|at| of_bcc_alone[**at] == apart && last.replace(**at) != Some(**at))
                .map(|at| Arc::clone(&certificates[*at]))
                .collect()
        };
        let mut editions = vec![chosen(&Vec::from_iter(0..certificates.len()), false)];
        for recipient in &bcc {
            let own = chosen(of(&recipient.address), true);
            if own.is_empty() {
                readers.hidden.push(recipient.address.clone());
            } else {
                readers.apart.push(recipient.address.clone());
                editions.push(own);
            }
        }
        // Nobody but Bcc recipients: what MessageText shows is the first one's, and nobody else may be sent it.
        if editions[0].is_empty() {
            editions[0] = editions[1].clone();
            readers.matched = true;
        }
        Ok(Plan { editions, readers })
    }
}

/// The mailboxes that a certificate names, as they stand in an envelope.
fn mailboxes(certificate: &X509) -> Vec<String> {
    let parsed = |text: &String| address::parse_one(text).map_or_else(|_| text.clone(), |mailbox| mailbox.envelope());
    certificate.emails().iter().map(parsed).collect()
}

impl Component {
    pub fn sign(&self) -> Result<()> {
        self.secure(SIGN)
    }

    pub fn encrypt(&self) -> Result<()> {
        self.secure(ENCRYPT)
    }

    pub fn sign_and_encrypt(&self) -> Result<()> {
        self.secure(SIGN | ENCRYPT)
    }

    /// A failure leaves a message that Send refuses (283), whatever the failure was: another method that runs (166), too.
    fn secure(&self, operations: u8) -> Result<()> {
        let running = self.begin();
        let done = match &running {
            Ok(_) => self.secured(operations),
            Err(busy) => Err(busy.clone()),
        };
        if done.is_err() {
            self.state.lock().message.fail(operations);
        }
        done
    }

    fn secured(&self, operations: u8) -> Result<()> {
        let (mut draft, options, mut generated, wraps, plan, protect) = {
            let state = self.state.lock();
            let mut wraps: Vec<Arc<dyn Wrap>> = Vec::new();
            let mut plan = None;
            if operations & SIGN != 0 {
                let signing = state.smime.signing(&state.settings)?;
                wraps.push(Arc::new(signing));
            }
            if operations & ENCRYPT != 0 {
                let made = Plan::new(&state.smime.recipient_certs, &state.message, &state.settings)?;
                wraps.push(Arc::new(state.smime.encrypting(&state.settings, &made)?));
                plan = Some(made);
            }
            (
                state.message.clone(),
                compose_options(&state),
                state.generated.clone(),
                wraps,
                plan,
                state.settings.bool(Setting::ProtectHeaders),
            )
        };
        let readers = plan.map(|plan| plan.readers);
        let protected = match protect && draft.is_unsecured() {
            true => Some(Protected::new(&draft, &options, &mut generated, operations & ENCRYPT != 0)?),
            false => None,
        };
        if let (Some(before), Some(now)) = (draft.readers(), &readers)
            && before.apart != now.apart
        {
            let why = "the Bcc recipients are not those that the message was encrypted for before";
            return Err(Error::new(Code::Encrypt, why));
        }
        if draft.is_deferred() {
            wraps.iter().try_for_each(|wrap| wrap.check())?;
            if readers.as_ref().is_some_and(|readers| !readers.apart.is_empty()) && !entity::is_rereadable(&draft) {
                let why =
                    "a stream can be read only once, and Bcc recipients get envelopes of their own (BccEncryption)";
                return Err(Error::new(Code::Encrypt, why));
            }
            let mut state = self.state.lock();
            unchanged(&draft, &state.message)?;
            state.message.protect(protected);
            state.message.defer(operations, wraps, readers);
            return Ok(());
        }
        draft.protect(protected.clone());
        let editions = readers.as_ref().or(draft.readers()).map_or(1, |readers| 1 + readers.apart.len());
        let mut forms = Vec::new();
        for edition in 0..editions {
            let base = draft.edition(edition);
            let inner = entity::entity(&base, &options, &mut generated)?;
            let outer = wraps.iter().try_fold(inner, |inner, wrap| wrap.wrap(inner, edition))?;
            let body = entity::read(&outer)?;
            forms.push(base.form(options.complete, &outer.fields, body)?);
        }
        let mut state = self.state.lock();
        unchanged(&draft, &state.message)?;
        state.message.protect(protected);
        state.message.secure(operations, forms, readers)
    }
}

/// What another thread set meanwhile was not signed.
fn unchanged(before: &Draft, now: &Draft) -> Result<()> {
    if before.revision == now.revision {
        return Ok(());
    }
    Err(Error::new(Code::Encrypt, "the message was changed while it was signed or encrypted"))
}
