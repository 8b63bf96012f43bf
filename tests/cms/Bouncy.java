import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Security;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Collection;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.cms.*;
import org.bouncycastle.asn1.cms.ecc.ECCCMSSharedInfo;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.KeyTransRecipientInformation;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientInformationStore;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.params.HKDFParameters;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Bouncy Castle as the other side of tests/cms. Each line of the file that is given is a job: "verify CMS CONTENT" or
 * "decrypt CMS CONTENT KEY ALGORITHM"; each answer is a line, "ok" or what is wrong.
 */
public class Bouncy {
    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            String[] job = line.split(" ");
            String answer;
            try {
                byte[] content = Files.readAllBytes(Path.of(job[2]));
                if (job[0].equals("verify")) {
                    answer = verify(Files.readAllBytes(Path.of(job[1])), content);
                } else {
                    answer = Arrays.equals(decrypt(Files.readAllBytes(Path.of(job[1])), job[3], job[4]), content) ? "ok" : "other content";
                }
            } catch (Throwable thrown) {
                answer = (thrown + " " + thrown.getCause()).replace('\n', ' ');
            }
            System.out.println(answer);
        }
    }

    /** The content is beside the signature or in it. */
    static String verify(byte[] cms, byte[] content) throws Exception {
        CMSSignedData signed = new CMSSignedData(cms);
        if (signed.getSignedContent() == null) {
            signed = new CMSSignedData(new CMSProcessableByteArray(content), cms);
        } else if (!Arrays.equals((byte[]) signed.getSignedContent().getContent(), content)) {
            return "other content";
        }
        int count = 0;
        for (SignerInformation signer : signed.getSignerInfos().getSigners()) {
            Collection<X509CertificateHolder> found = signed.getCertificates().getMatches(signer.getSID());
            X509CertificateHolder certificate = found.iterator().next();
            if (signer.getSignedAttributes() == null
                    || !signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(certificate))) {
                return "not valid";
            }
            count++;
        }
        return count == 1 ? "ok" : count + " signers";
    }

    static byte[] decrypt(byte[] cms, String key, String algorithm) throws Exception {
        PrivateKey secret = KeyFactory.getInstance(algorithm, "BC")
                .generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(key))));
        boolean authenticated = ContentInfo.getInstance(cms).getContentType().equals(CMSObjectIdentifiers.authEnvelopedData);
        RecipientInformationStore infos = authenticated
                ? new CMSAuthEnvelopedData(cms).getRecipientInfos()
                : new CMSEnvelopedData(cms).getRecipientInfos();
        RecipientInformation one = infos.getRecipients().iterator().next();
        if (one instanceof KeyTransRecipientInformation) {
            return one.getContent(authenticated
                    ? new JceKeyTransAuthEnvelopedRecipient(secret).setProvider("BC")
                    : new JceKeyTransEnvelopedRecipient(secret).setProvider("BC"));
        }
        if (algorithm.equals("X25519")) {
            return byHkdf(cms, secret);
        }
        return one.getContent(new JceKeyAgreeEnvelopedRecipient(secret).setProvider("BC"));
    }

    /** RFC 8418 with HKDF, which Bouncy Castle 1.72 does not have in CMS, of its pieces. */
    static byte[] byHkdf(byte[] cms, PrivateKey secret) throws Exception {
        EnvelopedData data = EnvelopedData.getInstance(ContentInfo.getInstance(cms).getContent());
        RecipientInfo info = RecipientInfo.getInstance(data.getRecipientInfos().getObjectAt(0));
        KeyAgreeRecipientInfo agree = KeyAgreeRecipientInfo.getInstance(info.getInfo());
        AlgorithmIdentifier scheme = agree.getKeyEncryptionAlgorithm();
        AlgorithmIdentifier wrap = AlgorithmIdentifier.getInstance(scheme.getParameters());
        if (!scheme.getAlgorithm().getId().equals("1.2.840.113549.1.9.16.3.19")) {
            throw new IllegalArgumentException(scheme.getAlgorithm().getId());
        }
        OriginatorPublicKey sender = agree.getOriginator().getOriginatorKey();
        if (sender.getAlgorithm().getParameters() != null) {
            throw new IllegalArgumentException("X25519 has no parameters");
        }
        byte[] spki = new SubjectPublicKeyInfo(sender.getAlgorithm(), sender.getPublicKey().getBytes()).getEncoded();
        KeyAgreement agreement = KeyAgreement.getInstance("X25519", "BC");
        agreement.init(secret);
        agreement.doPhase(KeyFactory.getInstance("X25519", "BC").generatePublic(new X509EncodedKeySpec(spki)), true);
        int size = wrap.getAlgorithm().equals(NISTObjectIdentifiers.id_aes128_wrap) ? 16
                : wrap.getAlgorithm().equals(NISTObjectIdentifiers.id_aes192_wrap) ? 24 : 32;
        byte[] shared = new ECCCMSSharedInfo(wrap, agree.getUserKeyingMaterial() == null ? null : agree.getUserKeyingMaterial().getOctets(),
                new byte[] {0, 0, (byte) (size * 8 >> 8), (byte) (size * 8)}).getEncoded("DER");
        HKDFBytesGenerator hkdf = new HKDFBytesGenerator(new SHA256Digest());
        hkdf.init(new HKDFParameters(agreement.generateSecret(), null, shared));
        byte[] key = new byte[size];
        hkdf.generateBytes(key, 0, size);
        Cipher unwrap = Cipher.getInstance("AESWrap", "BC");
        unwrap.init(Cipher.UNWRAP_MODE, new SecretKeySpec(key, "AES"));
        RecipientEncryptedKey sealed = RecipientEncryptedKey.getInstance(agree.getRecipientEncryptedKeys().getObjectAt(0));
        EncryptedContentInfo content = data.getEncryptedContentInfo();
        AlgorithmIdentifier cipher = content.getContentEncryptionAlgorithm();
        String oid = cipher.getAlgorithm().getId();
        Cipher open = Cipher.getInstance(oid, "BC");
        AlgorithmParameters parameters = AlgorithmParameters.getInstance(oid, "BC");
        parameters.init(cipher.getParameters().toASN1Primitive().getEncoded());
        open.init(Cipher.DECRYPT_MODE, unwrap.unwrap(sealed.getEncryptedKey().getOctets(), oid, Cipher.SECRET_KEY), parameters);
        return open.doFinal(content.getEncryptedContent().getOctets());
    }
}
