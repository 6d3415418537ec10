// A client of FuseSource's mqtt-client, the one of Java in Debian, for
// tests/clients/run, which says what an agent reads and writes.
// Arguments: NAME VERSION URI USER PASSWORD TOPIC-PREFIX CA-FILE
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ProtocolException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.concurrent.LinkedBlockingQueue;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.fusesource.mqtt.client.BlockingConnection;
import org.fusesource.mqtt.client.MQTT;
import org.fusesource.mqtt.client.Message;
import org.fusesource.mqtt.client.QoS;
import org.fusesource.mqtt.client.Topic;
import org.fusesource.mqtt.client.Tracer;
import org.fusesource.mqtt.codec.MQTTFrame;
import org.fusesource.mqtt.codec.PUBLISH;

public class FuseClient {
    // A Message does not tell its QoS and whether it is retained; the packets do,
    // in the same order.
    private static final LinkedBlockingQueue<String> flags =
        new LinkedBlockingQueue<>();

    private static synchronized void say(String text) {
        System.out.println(text);
        System.out.flush();
    }

    private static SSLContext trust(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        try (InputStream in = new FileInputStream(file)) {
            store.load(null, null);
            store.setCertificateEntry("ca", CertificateFactory
                .getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(
            TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes)
            text.append(String.format("%02x", b));
        return text.toString();
    }

    private static byte[] fromHex(String text) {
        byte[] bytes = new byte[text.length() / 2];
        for (int i = 0; i < bytes.length; i++)
            bytes[i] = (byte) Integer.parseInt(
                text.substring(2 * i, 2 * i + 2), 16);
        return bytes;
    }

    private static class Packets extends Tracer {
        @Override
        public void onReceive(MQTTFrame frame) {
            if (frame.messageType() != PUBLISH.TYPE)
                return;
            try {
                PUBLISH packet = new PUBLISH().decode(frame);
                flags.add(packet.qos().ordinal() + " " +
                          (packet.retain() ? 1 : 0));
            } catch (ProtocolException error) {
                System.err.println("java: " + error);
                System.exit(1);
            }
        }
    }

    private static void receive(BlockingConnection connection) {
        try {
            for (;;) {
                Message message = connection.receive();
                say("got " + message.getTopic() + " " + flags.take() + " " +
                    hex(message.getPayload()) + " -");
                message.ack();
            }
        } catch (Exception end) {
            return;  // of the connection
        }
    }

    public static void main(String[] args) throws Exception {
        MQTT mqtt = new MQTT();
        mqtt.setHost(args[2]);
        mqtt.setClientId(args[0]);
        mqtt.setVersion(args[1].equals("3") ? "3.1" : "3.1.1");
        mqtt.setCleanSession(true);
        mqtt.setConnectAttemptsMax(0);
        mqtt.setReconnectAttemptsMax(0);
        mqtt.setTracer(new Packets());
        if (!args[3].isEmpty()) {
            mqtt.setUserName(args[3]);
            mqtt.setPassword(args[4]);
        }
        if (args[2].startsWith("ssl:"))
            mqtt.setSslContext(trust(args[6]));
        BlockingConnection connection = mqtt.blockingConnection();
        connection.connect();
        for (QoS qos : new QoS[] { QoS.AT_MOST_ONCE, QoS.AT_LEAST_ONCE,
                                   QoS.EXACTLY_ONCE }) {
            byte[] granted = connection.subscribe(new Topic[] {
                new Topic(args[5] + "/" + qos.ordinal(), qos) });
            if (granted[0] != qos.ordinal())
                throw new Exception("granted " + granted[0]);
        }
        Thread receiver = new Thread(() -> receive(connection));
        receiver.setDaemon(true);
        receiver.start();
        say("ready");
        BufferedReader in = new BufferedReader(
            new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            connection.publish(words[0],
                               fromHex(words.length > 2 ? words[2] : ""),
                               QoS.values()[Integer.parseInt(words[1])], false);
            say("sent");
        }
        connection.disconnect();
        System.exit(0);
    }
}
