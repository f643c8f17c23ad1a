// Makes the Android backups of this folder with Java's own cryptography, as Android's BackupManagerService writes them:
// java MakeBackup.java. All data are made up. Salts and vectors are fixed so that the files are the same each time.

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.zip.DeflaterOutputStream;
import javax.crypto.Cipher;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

class MakeBackup {
    // Android does 10,000.
    static final int ROUNDS = 10;

    static byte[] bytes(int length, int first) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte) (first + 37 * i);
        return bytes;
    }

    static byte[] derive(char[] password, byte[] salt) throws Exception {
        PBEKeySpec spec = new PBEKeySpec(password, salt, ROUNDS, 256);
        return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA1").generateSecret(spec).getEncoded();
    }

    static byte[] encrypt(byte[] key, byte[] vector, byte[] plain) throws Exception {
        Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(vector));
        return cipher.doFinal(plain);
    }

    static byte[] compressed(byte[] plain) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(out)) {
            deflater.write(plain);
        }
        return out.toByteArray();
    }

    static byte[] encrypted(String password, byte[] content) throws Exception {
        byte[] userSalt = bytes(64, 1), checksumSalt = bytes(64, 2), userVector = bytes(16, 3);
        byte[] masterKey = bytes(32, 0x70), masterVector = bytes(16, 5);
        // Each byte becomes a character, with its sign.
        char[] keyAsText = new char[masterKey.length];
        for (int i = 0; i < masterKey.length; i++) keyAsText[i] = (char) masterKey[i];
        byte[] checksum = derive(keyAsText, checksumSalt);
        ByteArrayOutputStream blob = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(blob);
        for (byte[] part : new byte[][] {masterVector, masterKey, checksum}) {
            out.writeByte(part.length);
            out.write(part);
        }
        byte[] sealed = encrypt(derive(password.toCharArray(), userSalt), userVector, blob.toByteArray());
        HexFormat hex = HexFormat.of().withUpperCase();
        String head = "ANDROID BACKUP\n5\n1\nAES-256\n" + hex.formatHex(userSalt) + "\n" + hex.formatHex(checksumSalt) + "\n"
            + ROUNDS + "\n" + hex.formatHex(userVector) + "\n" + hex.formatHex(sealed) + "\n";
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.write(head.getBytes(StandardCharsets.US_ASCII));
        file.write(encrypt(masterKey, masterVector, content));
        return file.toByteArray();
    }

    public static void main(String[] arguments) throws Exception {
        byte[] content = Files.readAllBytes(Path.of("backup.tar"));
        byte[] compressed = compressed(content);
        Files.write(Path.of("password.ab"), encrypted("pass\u5bc6\u7801", compressed));
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.write("ANDROID BACKUP\n5\n1\nnone\n".getBytes(StandardCharsets.US_ASCII));
        file.write(compressed);
        Files.write(Path.of("open.ab"), file.toByteArray());
        // Known answers for names of cached pictures.
        for (String source : new String[] {"file:///storage/emulated/0/DCIM/Camera/IMG_20260102_030405.jpg", "https://shop.example/a.jpg", "https://shop.example/b.png", "中文"}) {
            byte[] digest = MessageDigest.getInstance("MD5").digest(source.getBytes(StandardCharsets.UTF_8));
            int half = source.length() / 2;
            System.out.println(source + " " + source.hashCode() + " " + new BigInteger(digest).abs().toString(36)
                + " " + new BigInteger(digest).signum() + " " + source.substring(0, half).hashCode() + source.substring(half).hashCode());
        }
    }
}
