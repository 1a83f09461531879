/* Parallel-beam forward projection and back-projection of a square image, views spread evenly over pi.
 *
 * Coordinates: pixel (row y, column x) at (x - h, y - h) with h = (size - 1) / 2; detector bin u at
 * u - (bins - 1) / 2 along (cos, sin) of the view angle. Everything here is in pixels; simulate.py
 * turns the sums into line integrals with the pixel size. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Adds to `view` the image sampled along its rows, for rays that cross every row (|along| >= |across|).
 * Joseph, IEEE Trans. Med. Imaging 1(3), 1982: one linear interpolation per row and ray. */
static void project_rows(const float *image, int size, float along, float across, int bins, float *view) {
    const float h = (size - 1) * 0.5f, centre = (bins - 1) * 0.5f, step = 1.0f / along;
    const float length = fabsf(step); /* of the ray within one row */
    for (int y = 0; y < size; y++) {
        const float *row = image + (size_t)y * size;
        const float first = (-centre - (y - h) * across) * step + h;
        for (int u = 0; u < bins; u++) {
            const float x = first + u * step;
            if (x < 0.0f || x >= size - 1) continue;
            const int left = (int)x;
            const float part = x - left;
            view[u] += length * (row[left] + part * (row[left + 1] - row[left]));
        }
    }
}

/* sinogram[views][bins] = sums of image[size][size] along the rays, times the step length in pixels. */
int project(const float *image, int size, int views, int bins, float *sinogram) {
    float *turned = malloc(sizeof(float) * size * size); /* rows and columns exchanged */
    if (!turned) return -1;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) turned[(size_t)x * size + y] = image[(size_t)y * size + x];
    memset(sinogram, 0, sizeof(float) * views * bins);
    for (int v = 0; v < views; v++) {
        const double angle = M_PI * v / views;
        const float c = (float)cos(angle), s = (float)sin(angle);
        float *view = sinogram + (size_t)v * bins;
        if (fabsf(c) >= fabsf(s)) project_rows(image, size, c, s, bins, view);
        else project_rows(turned, size, s, c, bins, view);
    }
    free(turned);
    return 0;
}

/* image[size][size] = integral over the half turn of filtered[views][bins], linear between bins. */
void back_project(const float *filtered, int views, int bins, int size, float *image) {
    const float h = (size - 1) * 0.5f, centre = (bins - 1) * 0.5f;
    memset(image, 0, sizeof(float) * size * size);
    for (int v = 0; v < views; v++) {
        const double angle = M_PI * v / views;
        const float c = (float)cos(angle), s = (float)sin(angle);
        const float *view = filtered + (size_t)v * bins;
        for (int y = 0; y < size; y++) {
            const float first = -h * c + (y - h) * s + centre;
            float *row = image + (size_t)y * size;
            for (int x = 0; x < size; x++) {
                const float u = first + x * c;
                if (u < 0.0f || u >= bins - 1) continue;
                const int left = (int)u;
                const float part = u - left;
                row[x] += view[left] + part * (view[left + 1] - view[left]);
            }
        }
    }
    const float weight = (float)(M_PI / views);
    for (int i = 0; i < size * size; i++) image[i] *= weight;
}
