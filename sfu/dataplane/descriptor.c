/* Dependency descriptors (AV1 RTP specification, appendix A): the rules of sfu/wire/descriptor.py, as far as forwarding a
 * whole stream needs them. */

#include <stdlib.h>
#include <string.h>

#include "plane_internal.h"

enum { MANDATORY_OCTETS = 3, NOT_PRESENT = 0, NO_MORE_TEMPLATES = 3, HIGHEST = SPATIAL_LAYERS - 1, WIDTH = TEMPORAL_LAYERS };

/* Section A.8.1. After the end all bits are 0, and `ended` is true. */
struct bits {
    struct bytes data;
    uint32_t at;
    bool ended;
};

static void skip(struct bits *bits, uint32_t count)
{
    bits->at += count;
    bits->ended = bits->ended || bits->at > 8 * bits->data.size;
}

static uint32_t take(struct bits *bits, int count)
{
    uint32_t value = 0;
    for (int i = 0; i < count; i++, bits->at++)
        value = value << 1 | (octet(bits->data, bits->at / 8) >> (7 - bits->at % 8) & 1);
    skip(bits, 0);
    return value;
}

/* ns(limit): a number below it */
static uint32_t take_below(struct bits *bits, uint32_t limit)
{
    int width = 0;
    while (limit >> width)
        width++;
    uint32_t shorter = (1u << width) - limit, value = take(bits, width - 1);
    return value < shorter ? value : (value << 1) - shorter + take(bits, 1);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The operating points that each decode target serves; its highest rate stands for all higher ones. */
static void find_points(struct structure *structure, const uint8_t indications[MAX_TEMPLATES][MAX_TARGETS])
{
    uint32_t spatial[MAX_TARGETS] = {0}, temporal[MAX_TARGETS] = {0};
    for (int target = 0; target < structure->targets; target++)
        for (int i = 0; i < structure->templates; i++)
            if (indications[i][target] != NOT_PRESENT) {
                if (structure->spatial[i] > spatial[target])
                    spatial[target] = structure->spatial[i];
                if (structure->temporal[i] > temporal[target])
                    temporal[target] = structure->temporal[i];
            }
    for (int target = 0; target < structure->targets; target++) {
        bool highest = true;
        for (int other = 0; other < structure->targets; other++)
            highest = highest && (spatial[other] != spatial[target] || temporal[other] <= temporal[target]);
        uint32_t last = highest ? HIGHEST : least(temporal[target], HIGHEST), points = 0;
        for (uint32_t i = least(temporal[target], last); i <= last; i++)
            points |= 1u << (least(spatial[target], HIGHEST) * WIDTH + i);
        structure->points[target] = (uint16_t)points;
    }
    for (int i = 0; i < structure->templates; i++)
        for (int target = 0; target < structure->targets; target++)
            if (indications[i][target] != NOT_PRESENT)
                structure->needed[i] |= structure->points[target];
}

/* Section A.8.3: template_dependency_structure */
static bool read_structure(struct bits *bits, struct structure *structure)
{
    uint8_t indications[MAX_TEMPLATES][MAX_TARGETS];
    structure->offset = (uint8_t)take(bits, 6);
    structure->targets = (uint8_t)(take(bits, 5) + 1);
    uint32_t count = 1, step;
    while ((step = take(bits, 2)) != NO_MORE_TEMPLATES && !bits->ended) {
        if (count == MAX_TEMPLATES)
            return false;
        structure->spatial[count] = (uint8_t)(structure->spatial[count - 1] + (step == 2));
        structure->temporal[count] = (uint8_t)(step == 2 ? 0 : structure->temporal[count - 1] + (step == 1));
        count++;
    }
    structure->templates = (uint8_t)count;
    for (uint32_t i = 0; i < count; i++)
        for (int target = 0; target < structure->targets; target++)
            indications[i][target] = (uint8_t)take(bits, 2);
    for (uint32_t i = 0; i < count; i++)
        while (take(bits, 1)) /* frame_diffs */
            skip(bits, 4);
    structure->chains = (uint8_t)take_below(bits, structure->targets + 1u);
    if (structure->chains) {
        for (int target = 0; target < structure->targets; target++)
            take_below(bits, structure->chains);
        skip(bits, 4u * structure->chains * count);
    }
    if (take(bits, 1))
        skip(bits, 32u * (structure->spatial[count - 1] + 1u)); /* resolutions */
    find_points(structure, indications);
    return !bits->ended;
}

bool read_descriptor(struct bytes data, const struct structure *known, uint32_t active, struct structure *fresh, struct described *described)
{
    struct bits bits = {data, 0, false};
    described->starts = take(&bits, 1);
    skip(&bits, 1);
    uint32_t template = take(&bits, 6);
    described->frame_number = (uint16_t)take(&bits, 16);
    bool attached = false, masked = false, own_indications = false, own_diffs = false, own_chains = false;
    if (data.size > MANDATORY_OCTETS) {
        attached = take(&bits, 1);
        masked = take(&bits, 1);
        own_indications = take(&bits, 1);
        own_diffs = take(&bits, 1);
        own_chains = take(&bits, 1);
    }
    if (attached) {
        *fresh = (struct structure){.size = (uint8_t)data.size};
        memcpy(fresh->data, data.data, data.size);
        if (!read_structure(&bits, fresh))
            return false;
        known = fresh;
        active = (uint32_t)((1ull << fresh->targets) - 1);
    }
    if (!known)
        return false;
    if (masked)
        active = take(&bits, known->targets);
    uint32_t number = (template - known->offset) & (MAX_TEMPLATES - 1);
    if (number >= known->templates)
        return false;
    described->points = known->needed[number];
    if (own_indications) {
        described->points = 0;
        for (int target = 0; target < known->targets; target++)
            if (take(&bits, 2) != NOT_PRESENT)
                described->points |= known->points[target];
    }
    uint32_t size;
    while (own_diffs && (size = take(&bits, 2)))
        skip(&bits, 4 * size);
    if (own_chains)
        skip(&bits, 8u * known->chains);
    described->attached = attached;
    described->active = active;
    described->spatial = (uint8_t)least(known->spatial[number], HIGHEST);
    described->temporal = (uint8_t)least(known->temporal[number], HIGHEST);
    return !bits.ended;
}

struct structure *structure_use(struct structure *structure)
{
    if (structure)
        structure->users++;
    return structure;
}

void structure_drop(struct structure *structure)
{
    if (structure && !--structure->users)
        free(structure);
}
