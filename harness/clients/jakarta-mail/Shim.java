// Runs Jakarta Mail, one job at a time; the protocol is that of harness/clients/workers.ts. Compiled once per run by
// harness/clients/jakarta-mail.ts. Its only argument is a folder for a file of its own.
//
// It does what the documentation of com.sun.mail.smtp shows: properties of a session, connect, sendMessage, close. The
// library believes that it talks to the peer by name: the JDK finds that name in a hosts file of ours, so SNI and the
// name check are the library's own.

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.mail.smtp.SMTPAddressFailedException;
import com.sun.mail.smtp.SMTPSendFailedException;
import com.sun.mail.smtp.SMTPSenderFailedException;
import com.sun.mail.smtp.SMTPTransport;
import com.sun.mail.util.MailSSLSocketFactory;
import jakarta.mail.Address;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.Properties;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;

public final class Shim {
    private static final Gson GSON = new Gson();

    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        // what the library prints belongs to the log, not between the answers
        System.setOut(System.err);
        Path hosts = Path.of(args[0], "hosts-" + ProcessHandle.current().pid());
        System.setProperty("jdk.net.hosts.file", hosts.toString());
        // the next job's peer may have the same name and another address
        Security.setProperty("networkaddress.cache.ttl", "0");
        BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        answers.println("{\"ready\":true}");
        for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
            JsonObject job = JsonParser.parseString(line).getAsJsonObject();
            Files.writeString(hosts, text(job, "address") + " " + text(job, "hostName") + "\n");
            JsonObject message = new JsonObject();
            message.add("id", job.get("id"));
            message.add("answer", answer(job));
            answers.println(GSON.toJson(message));
        }
    }

    private static JsonObject answer(JsonObject job) throws GeneralSecurityException, IOException {
        JsonObject answer = new JsonObject();
        Session session = Session.getInstance(properties(job));
        session.setDebug(true);
        session.setDebugOut(System.err);
        try (SMTPTransport transport = (SMTPTransport) session.getTransport("smtp")) {
            transport.connect(text(job, "hostName"), job.get("port").getAsInt(), text(job, "user"), text(job, "password"));
            answer.addProperty("encrypted", transport.isSSL());
            byte[] message = Base64.getDecoder().decode(text(job, "message"));
            transport.sendMessage(new MimeMessage(session, new ByteArrayInputStream(message)), recipients(job));
            answer.addProperty("delivered", true);
            answer.addProperty("text", transport.getLastServerResponse().trim());
        } catch (MessagingException error) {
            // close() fails where the peer does not answer QUIT; the message has been accepted then
            if (answer.has("delivered")) return answer;
            answer.addProperty("delivered", false);
            answer.addProperty("text", words(error));
            int code = replyCode(error);
            if (code > 0) answer.addProperty("code", code);
        }
        return answer;
    }

    /** What a policy means: properties of com.sun.mail.smtp, whose values jakarta-mail.ts shows. */
    private static Properties properties(JsonObject job) throws GeneralSecurityException, IOException {
        Properties properties = new Properties();
        String milliseconds = String.valueOf(Math.max(1, Math.round(job.get("timeout").getAsDouble() * 1000)));
        for (String limit : new String[] {"connectiontimeout", "timeout", "writetimeout"})
            properties.put("mail.smtp." + limit, milliseconds);
        properties.put("mail.smtp.localhost", text(job, "ehlo"));
        properties.put("mail.smtp.from", text(job, "from"));
        if (job.has("user")) properties.put("mail.smtp.auth", "true");
        String tls = text(job, "tls");
        if (tls.equals("offered") || tls.equals("always")) properties.put("mail.smtp.starttls.enable", "true");
        if (tls.equals("always")) properties.put("mail.smtp.starttls.required", "true");
        if (tls.equals("connect")) properties.put("mail.smtp.ssl.enable", "true");
        boolean check = job.get("check").getAsBoolean();
        if (check) properties.put("mail.smtp.ssl.checkserveridentity", "true");
        else properties.put("mail.smtp.ssl.trust", "*");
        if (check || job.has("certificate")) properties.put("mail.smtp.ssl.socketFactory", socketFactory(job, check));
        if (job.has("ciphers")) properties.put("mail.smtp.ssl.ciphersuites", text(job, "ciphers"));
        return properties;
    }

    /** The JVM's own roots and keys are those of its user; here they are the job's. */
    private static MailSSLSocketFactory socketFactory(JsonObject job, boolean check)
            throws GeneralSecurityException, IOException {
        MailSSLSocketFactory factory = new MailSSLSocketFactory();
        if (check) {
            KeyStore roots = emptyStore();
            for (Certificate root : certificates(text(job, "caFile"))) roots.setCertificateEntry("root", root);
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(roots);
            factory.setTrustManagers(trust.getTrustManagers());
        } else factory.setTrustAllHosts(true);
        if (job.has("certificate")) {
            KeyStore own = emptyStore();
            Certificate[] chain = certificates(text(job, "certificate")).toArray(new Certificate[0]);
            own.setKeyEntry("own", privateKey(text(job, "key")), new char[0], chain);
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(own, new char[0]);
            factory.setKeyManagers(keys.getKeyManagers());
        }
        return factory;
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(String file)
            throws GeneralSecurityException, IOException {
        try (InputStream pem = Files.newInputStream(Path.of(file))) {
            return CertificateFactory.getInstance("X.509").generateCertificates(pem);
        }
    }

    /** A key in PKCS #8, which does not say outside of its DER what kind it is. */
    private static PrivateKey privateKey(String file) throws GeneralSecurityException, IOException {
        String pem = Files.readString(Path.of(file)).replaceAll("-----[^-]*-----", "");
        PKCS8EncodedKeySpec key = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem));
        try {
            return KeyFactory.getInstance("EC").generatePrivate(key);
        } catch (InvalidKeySpecException notElliptic) {
            return KeyFactory.getInstance("RSA").generatePrivate(key);
        }
    }

    private static Address[] recipients(JsonObject job) throws MessagingException {
        JsonArray to = job.getAsJsonArray("to");
        Address[] recipients = new Address[to.size()];
        for (int i = 0; i < recipients.length; i++) recipients[i] = new InternetAddress(to.get(i).getAsString());
        return recipients;
    }

    /** The reply code of the first exception in the chain that has one, else 0. */
    private static int replyCode(MessagingException first) {
        for (Exception error = first; error instanceof MessagingException; ) {
            int code = 0;
            if (error instanceof SMTPAddressFailedException) code = ((SMTPAddressFailedException) error).getReturnCode();
            if (error instanceof SMTPSenderFailedException) code = ((SMTPSenderFailedException) error).getReturnCode();
            if (error instanceof SMTPSendFailedException) code = ((SMTPSendFailedException) error).getReturnCode();
            if (code > 0) return code;
            error = ((MessagingException) error).getNextException();
        }
        return 0;
    }

    /** The messages of an exception and of those that it came from, on one line. */
    private static String words(MessagingException first) {
        StringBuilder words = new StringBuilder();
        for (Throwable error = first; error != null; error = error.getCause())
            words.append(words.length() == 0 ? "" : "; ").append(error.getClass().getSimpleName())
                .append(": ").append(String.valueOf(error.getMessage()).strip().replaceAll("\\s*\\R\\s*", " "));
        return words.toString();
    }

    private static String text(JsonObject job, String field) {
        return job.has(field) ? job.get(field).getAsString() : null;
    }
}
