/**
 * The screens are served behind our own server (see server/http): no API, no image service, no rewrites here.
 * Types are checked once, by `npm run typecheck`, not again in every build.
 * @type {import("next").NextConfig}
 */
const nextConfig = {
  distDir: process.env.NEXT_DIST_DIR ?? ".next",
  poweredByHeader: false,
  reactStrictMode: true,
  agentRules: false,
  devIndicators: false,
  typescript: { ignoreBuildErrors: true },
  images: { unoptimized: true },
};

export default nextConfig;
