# Bits over a text: BLAKE2b without an object around it.

from libc.stdint cimport uint8_t


cdef extern from *:
    """
    /* BLAKE2b (RFC 7693) of `length` bytes without a key, as hashlib.blake2b(text, digest_size=length). */
    static const unsigned long long blake2b_iv[8] = {
        0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
        0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL};
    #define TURN(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
    #define MIX(a, b, c, d, x, y) \
        v[a] += v[b] + (x); v[d] = TURN(v[d] ^ v[a], 32); v[c] += v[d]; v[b] = TURN(v[b] ^ v[c], 24); \
        v[a] += v[b] + (y); v[d] = TURN(v[d] ^ v[a], 16); v[c] += v[d]; v[b] = TURN(v[b] ^ v[c], 63);
    #define ROUND(a, b, c, d, e, f, g, h, i, j, k, l, n, o, p, q) \\
        MIX(0, 4, 8, 12, m[a], m[b]) MIX(1, 5, 9, 13, m[c], m[d]) \\
        MIX(2, 6, 10, 14, m[e], m[f]) MIX(3, 7, 11, 15, m[g], m[h]) \\
        MIX(0, 5, 10, 15, m[i], m[j]) MIX(1, 6, 11, 12, m[k], m[l]) \\
        MIX(2, 7, 8, 13, m[n], m[o]) MIX(3, 4, 9, 14, m[p], m[q])
    static void blake2b_block(unsigned long long *h, const unsigned char *block, size_t taken, int last) {
        unsigned long long v[16], m[16];
        for (int i = 0; i < 16; i++) {
            const unsigned char *b = block + i * 8;
            m[i] = (unsigned long long)b[0] | (unsigned long long)b[1] << 8 | (unsigned long long)b[2] << 16
                | (unsigned long long)b[3] << 24 | (unsigned long long)b[4] << 32
                | (unsigned long long)b[5] << 40 | (unsigned long long)b[6] << 48
                | (unsigned long long)b[7] << 56;
        }
        for (int i = 0; i < 8; i++) { v[i] = h[i]; v[i + 8] = blake2b_iv[i]; }
        v[12] ^= taken;
        if (last) v[14] = ~v[14];
        ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
        ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
        ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
        ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
        ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
        ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
        ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
        ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
        ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
    }
    static void blake2b(const unsigned char *text, size_t size, unsigned char *digest, int length) {
        unsigned long long h[8];
        unsigned char block[128];
        size_t at = 0;
        for (int i = 0; i < 8; i++) h[i] = blake2b_iv[i];
        h[0] ^= 0x01010000ULL ^ (unsigned long long)length;
        for (; size - at > 128; at += 128) blake2b_block(h, text + at, at + 128, 0);
        memset(block, 0, 128);
        memcpy(block, text + at, size - at);
        blake2b_block(h, block, size, 1);
        for (int i = 0; i < length; i++) digest[i] = (unsigned char)(h[i / 8] >> (8 * (i % 8)));
    }
    static PyObject *hex_of(const unsigned char *digest) {
        PyObject *made = PyUnicode_New(32, 127);
        if (made == NULL) return NULL;
        unsigned char *to = PyUnicode_1BYTE_DATA(made);
        for (int i = 0; i < 16; i++) {
            to[2 * i] = "0123456789abcdef"[digest[i] >> 4];
            to[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
        }
        return made;
    }
    """
    void blake2b(const uint8_t *text, size_t size, uint8_t *digest, int length)
    object hex_of(const uint8_t *digest)
