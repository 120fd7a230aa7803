#include "addon.h"

NODE_API_MODULE(hast, InitAddon)
