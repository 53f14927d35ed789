// Shaders: window/level, inversion, blending of two images and interpolation, in exact integers for gray. A color
// picture is read from its own sampler and has no window.

export const VERTEX = `#version 300 es
in vec2 corner; uniform vec2 uHalf; out vec2 vAt;
void main() { vAt = vec2(corner.x, -corner.y) * uHalf; gl_Position = vec4(corner, 0.0, 1.0); }`;

export const FRAGMENT = `#version 300 es
precision highp float; precision highp int; precision highp isampler2D; precision highp sampler2D;
uniform isampler2D uA, uB;
uniform sampler2D uColorA, uColorB;
uniform mat2 uTurn; uniform vec2 uCenter, uScaleB, uHalf;
uniform ivec2 uSizeA, uSizeB;
uniform vec3 uWindowA, uWindowB;              // low, 1 / width (stored samples), invert
uniform int uMode; uniform bool uSmooth, uIsColorA, uIsColorB; uniform float uSplit, uCell, uGain;
in vec2 vAt; out vec4 color;

float tap(isampler2D t, ivec2 p, ivec2 size) { return float(texelFetch(t, clamp(p, ivec2(0), size - 1), 0).r); }
float read(isampler2D t, vec2 at, ivec2 size) {
  if (!uSmooth) return tap(t, ivec2(floor(at)), size);
  vec2 q = at - 0.5, f = fract(q); ivec2 p = ivec2(floor(q));
  return mix(mix(tap(t, p, size), tap(t, p + ivec2(1, 0), size), f.x),
             mix(tap(t, p + ivec2(0, 1), size), tap(t, p + ivec2(1, 1), size), f.x), f.y);
}
vec3 dab(sampler2D t, ivec2 p, ivec2 size) { return texelFetch(t, clamp(p, ivec2(0), size - 1), 0).rgb; }
vec3 paint(sampler2D t, vec2 at, ivec2 size) {
  if (!uSmooth) return dab(t, ivec2(floor(at)), size);
  vec2 q = at - 0.5, f = fract(q); ivec2 p = ivec2(floor(q));
  return mix(mix(dab(t, p, size), dab(t, p + ivec2(1, 0), size), f.x),
             mix(dab(t, p + ivec2(0, 1), size), dab(t, p + ivec2(1, 1), size), f.x), f.y);
}
float shade(float v, vec3 w) { float g = clamp((v - w.x) * w.y, 0.0, 1.0); return w.z > 0.5 ? 1.0 - g : g; }
vec3 first(vec2 at) { return uIsColorA ? paint(uColorA, at, uSizeA) : vec3(shade(read(uA, at, uSizeA), uWindowA)); }
vec3 second(vec2 at) { return uIsColorB ? paint(uColorB, at, uSizeB) : vec3(shade(read(uB, at, uSizeB), uWindowB)); }
float gray(vec3 c) { return dot(c, vec3(0.299, 0.587, 0.114)); }

void main() {
  vec2 at = uTurn * vAt + uCenter;
  if (at.x < 0.0 || at.y < 0.0 || at.x >= float(uSizeA.x) || at.y >= float(uSizeA.y)) {
    color = vec4(0, 0, 0, 1); return;
  }
  vec2 atB = at * uScaleB;
  bool other = uMode == 1 && vAt.x < uSplit;
  if (uMode == 3) { ivec2 cell = ivec2(floor((vAt + uHalf) / uCell)); other = ((cell.x + cell.y) & 1) == 0; }
  if (uMode == 2) {
    float d = (gray(first(at)) - gray(second(atB))) * uGain;
    vec3 ends = d > 0.0 ? vec3(1.0, 0.72, 0.30) : vec3(0.36, 0.66, 1.0);
    color = vec4(mix(vec3(0.10), ends, clamp(abs(d), 0.0, 1.0)), 1.0); return;
  }
  color = vec4(other ? second(atB) : first(at), 1.0);
}`;
