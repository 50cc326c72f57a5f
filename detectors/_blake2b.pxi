# Bits over a text: BLAKE2b without an object around it.

from libc.stdint cimport uint8_t


cdef extern from *:
    """
    /* BLAKE2b (RFC 7693) of `length` bytes without a key, as hashlib.blake2b(text, digest_size=length). */
    static const unsigned long long blake2b_iv[8] = {
        0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
        0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL};
    static const unsigned char blake2b_order[10][16] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
        {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
        {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
        {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
        {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
        {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
        {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
        {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
        {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
        {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};
    /* Four words side by side; where the processor has registers for them, found out when this is loaded, in
       half of the time. Rounds in a loop: one after the other they would be 6 KB of instructions, a fifth of
       what a core has at hand. */
    typedef unsigned long long blake2b_words __attribute__((vector_size(32)));
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    #define FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
    #else
    #define FOR_EACH_PROCESSOR
    #endif
    #define TURN(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
    #define MIX(x, y) \
        a += b + (x); d = TURN(d ^ a, 32); c += d; b = TURN(b ^ c, 24); \
        a += b + (y); d = TURN(d ^ a, 16); c += d; b = TURN(b ^ c, 63);
    #define FOUR(i) (blake2b_words){m[s[i]], m[s[i + 2]], m[s[i + 4]], m[s[i + 6]]}
    #define MOVED(x, n) (blake2b_words){x[n], x[(n + 1) % 4], x[(n + 2) % 4], x[(n + 3) % 4]}
    FOR_EACH_PROCESSOR
    static void blake2b_block(unsigned long long *h, const unsigned char *block, size_t taken, int last) {
        unsigned long long m[16];
        for (int i = 0; i < 16; i++) {
            const unsigned char *b = block + i * 8;
            m[i] = (unsigned long long)b[0] | (unsigned long long)b[1] << 8 | (unsigned long long)b[2] << 16
                | (unsigned long long)b[3] << 24 | (unsigned long long)b[4] << 32
                | (unsigned long long)b[5] << 40 | (unsigned long long)b[6] << 48
                | (unsigned long long)b[7] << 56;
        }
        const unsigned long long *v = blake2b_iv;
        blake2b_words a = {h[0], h[1], h[2], h[3]}, b = {h[4], h[5], h[6], h[7]};
        blake2b_words c = {v[0], v[1], v[2], v[3]}, d = {v[4] ^ taken, v[5], last ? ~v[6] : v[6], v[7]};
        for (int i = 0; i < 12; i++) {
            const unsigned char *s = blake2b_order[i % 10];
            MIX(FOUR(0), FOUR(1))
            b = MOVED(b, 1); c = MOVED(c, 2); d = MOVED(d, 3);
            MIX(FOUR(8), FOUR(9))
            b = MOVED(b, 3); c = MOVED(c, 2); d = MOVED(d, 1);
        }
        a ^= c; b ^= d;
        for (int i = 0; i < 4; i++) { h[i] ^= a[i]; h[i + 4] ^= b[i]; }
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
